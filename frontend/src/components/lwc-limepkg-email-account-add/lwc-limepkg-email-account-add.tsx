import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { Account, AccountForm, Person } from '../../services/email-api/accounts';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { Texts, textsOf } from '../../translate';
import { isAddress } from '../../ui/addresses';
import { fieldError } from '../../ui/explain';
import { SelectField, TextField } from '../../ui/fields';
import { focused } from '../../ui/focus';
import { FormDialog, FormError } from '../../ui/form-dialog';
import { here } from '../../ui/leave';
import {
  parentOptions,
  peopleAndParents,
  usableApps,
} from '../lwc-account-management/account-choices';
import { PeopleField } from '../lwc-account-management/people-field';

/** What happens to unread mail from before: it stays, it is counted first, or it is imported. */
export type OldMail = 'leave' | 'ask' | 'import';

/** The form to go to, and what to do on return. */
export interface BegunAccount {
  url: string;
  email: string;
  oldMail: OldMail;
}

const SHOWN = ['email', 'name', 'users', 'parent_limetype', 'type'];

/** The dialog in which a mailbox is chosen that is to be connected, or connected in another way. */
@Component({
  tag: 'lwc-limepkg-email-account-add',
  styleUrls: ['../../ui/admin.css', 'lwc-limepkg-email-account-add.css'],
  shadow: true,
})
export class AccountAdd {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** Applications with which mailboxes can sign in. */
  @Prop() apps: OAuthApp[] = [];

  /** An account that signs in again, in a way that is chosen here; a new one without. */
  @Prop() account?: Account;

  /** There is a link to the form. */
  @Event({ bubbles: false, composed: false }) begun!: EventEmitter<BegunAccount>;

  /** The dialog was closed. */
  @Event({ bubbles: false, composed: false }) cancelled!: EventEmitter<void>;

  @State() private kind = 'imap';
  @State() private email = '';
  @State() private name = '';
  @State() private users: number[] = [];
  @State() private parent = '';
  @State() private oldMail: OldMail = 'ask';
  @State() private people: Person[] = [];
  @State() private parents: string[] = [];
  @State() private busy = false;
  @State() private error: unknown;
  @State() private wrongEmail = false;

  private texts!: Texts;
  private readonly opener = focused();

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    if (this.account) {
      this.kind = String(usableApps(this.apps)[0]?.id ?? 'imap');
    }
    await this.texts.ready;
    void this.loadChoices();
  }

  disconnectedCallback(): void {
    this.opener?.focus();
  }

  render(): VNode {
    const text = this.texts;
    const heading = this.account
      ? text.get('accounts.again_title', { email: this.account.email })
      : text.get('accounts.add_title');
    return (
      <FormDialog
        texts={this.texts}
        heading={heading}
        action={text.get('accounts.go_on')}
        busy={this.busy}
        error={this.error}
        onAction={() => void this.begin()}
        onCancel={() => this.cancelled.emit()}
      >
        {this.renderKinds()}
        {!this.account && this.renderFields()}
        <p class="quiet">{text.get('accounts.add_note')}</p>
        <FormError texts={text} error={this.error} shown={SHOWN} />
      </FormDialog>
    );
  }

  private renderKinds(): VNode {
    const text = this.texts;
    const apps = usableApps(this.apps);
    return (
      <fieldset class="kinds">
        <legend>{text.get('accounts.kind')}</legend>
        {this.renderKind(
          'imap',
          text.get('accounts.kind.imap'),
          text.get('accounts.kind.imap_help'),
        )}
        {apps.map((each) =>
          this.renderKind(
            String(each.id),
            each.name,
            text.get('accounts.kind.oauth_help', {
              provider: PROVIDERS[each.provider] ?? each.provider,
            }),
          ),
        )}
        {!apps.length && <p class="quiet">{text.get('accounts.no_apps')}</p>}
        {fieldError(this.error, 'type') && <p class="bad">{fieldError(this.error, 'type')}</p>}
      </fieldset>
    );
  }

  private renderKind(value: string, title: string, help: string): VNode {
    return (
      <label class="kind">
        <input
          type="radio"
          name="kind"
          value={value}
          checked={this.kind === value}
          onChange={() => (this.kind = value)}
        />
        <span>
          <strong>{title}</strong>
          <span class="quiet">{help}</span>
        </span>
      </label>
    );
  }

  private renderFields(): VNode[] {
    const text = this.texts;
    return [
      <TextField
        name="email"
        type="email"
        label={text.get('accounts.email')}
        value={this.email}
        required={true}
        error={this.wrongEmail ? text.get('accounts.wrong_email') : fieldError(this.error, 'email')}
        onValue={(value) => {
          this.email = value;
          this.wrongEmail = false;
        }}
      />,
      <TextField
        name="name"
        label={text.get('accounts.name')}
        value={this.name}
        help={text.get('accounts.name_help')}
        error={fieldError(this.error, 'name')}
        onValue={(value) => (this.name = value)}
      />,
      <PeopleField
        texts={text}
        error={fieldError(this.error, 'users')}
        value={this.users}
        people={this.people}
        onValue={(users) => (this.users = users)}
      />,
      <SelectField
        name="parent_limetype"
        label={text.get('accounts.parent')}
        value={this.parent}
        options={parentOptions(this.parents, this.parent, text.get('accounts.parent_standard'))}
        error={fieldError(this.error, 'parent_limetype')}
        onValue={(value) => (this.parent = value)}
      />,
      <SelectField
        name="old_mail"
        label={text.get('accounts.old_mail')}
        value={this.oldMail}
        required={true}
        options={[
          { value: 'ask', text: text.get('accounts.old_mail.ask') },
          { value: 'leave', text: text.get('accounts.old_mail.leave') },
          { value: 'import', text: text.get('accounts.old_mail.import') },
        ]}
        help={text.get('accounts.old_mail_help')}
        onValue={(value) => (this.oldMail = value as OldMail)}
      />,
    ];
  }

  private async loadChoices(): Promise<void> {
    if (this.account) {
      return;
    }
    try {
      const found = await peopleAndParents(emailApi(this.platform));
      this.people = found.people;
      this.parents = found.parents;
    } catch (error) {
      this.error = error;
    }
  }

  private async begin(): Promise<void> {
    this.wrongEmail = !this.account && !isAddress(this.email.trim());
    if (this.busy || this.wrongEmail) {
      return;
    }
    this.busy = true;
    this.error = undefined;
    try {
      const { url } = await emailApi(this.platform).accounts.form(this.form());
      const email = this.account?.email ?? this.email.trim();
      this.begun.emit({ url, email, oldMail: this.oldMail });
    } catch (error) {
      this.error = error;
    } finally {
      this.busy = false;
    }
  }

  private form(): AccountForm {
    const back = here();
    if (this.account) {
      return { account: this.account.id, type: this.kind, back };
    }
    return {
      email: this.email.trim(),
      name: this.name.trim(),
      type: this.kind,
      users: this.users,
      parent_limetype: this.parent,
      import_unread: this.oldMail === 'import',
      // A sync that runs before the choice would settle it.
      enabled: this.oldMail !== 'ask',
      back,
    };
  }
}

const PROVIDERS: Record<string, string> = { gmail: 'Google', outlook: 'Microsoft' };
