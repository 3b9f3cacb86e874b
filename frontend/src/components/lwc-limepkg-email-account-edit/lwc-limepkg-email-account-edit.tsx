import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { localeOf } from '../../locale';
import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { Account, AccountSettings, ActivationPreview } from '../../services/email-api/accounts';
import { Texts, textsOf } from '../../translate';
import { isAddress, parseAddresses } from '../../ui/addresses';
import { explain, fieldError } from '../../ui/explain';
import { Choice, SelectField, stop, SuggestField, SwitchField, TextField } from '../../ui/fields';
import { focused } from '../../ui/focus';
import { FormDialog, FormError } from '../../ui/form-dialog';
import { nameControl } from '../../ui/name-control';
import {
  AccountChoices,
  accountChoices,
  parentOptions,
} from '../lwc-account-management/account-choices';
import { previewSentence } from '../lwc-account-management/account-words';
import { PeopleField } from '../lwc-account-management/people-field';
import { changedSettings, settingsOf } from './settings';

type TemplateName = 'message_template' | 'autoreply_template' | 'relay_template';

const NO_CHOICES: AccountChoices = { people: [], parents: [], timeZones: [], templates: [] };
const PURPOSES: Record<TemplateName, string> = {
  message_template: 'message',
  autoreply_template: 'autoreply',
  relay_template: 'relay',
};

/** The dialog in which an account's settings are changed. */
@Component({
  tag: 'lwc-limepkg-email-account-edit',
  styleUrl: '../../ui/admin.css',
  shadow: true,
})
export class AccountEdit {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** The account that is changed. */
  @Prop() account!: Account;

  /** The account as it was stored. */
  @Event({ bubbles: false, composed: false }) saved!: EventEmitter<Account>;

  /** The dialog was closed and nothing stored. */
  @Event({ bubbles: false, composed: false }) cancelled!: EventEmitter<void>;

  @State() private values!: AccountSettings;
  @State() private aliases = '';
  @State() private choices = NO_CHOICES;
  @State() private preview?: ActivationPreview;
  @State() private previewProblem = '';
  @State() private loadError: unknown;
  @State() private error: unknown;
  @State() private wrongAlias = '';
  @State() private saving = false;

  private texts!: Texts;
  private readonly opener = focused();
  private editor?: HTMLLimelTextEditorElement;

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    this.values = settingsOf(this.account);
    this.aliases = this.account.aliases.join('\n');
    await this.texts.ready;
    void this.loadChoices();
    void this.loadPreview();
  }

  disconnectedCallback(): void {
    this.opener?.focus();
  }

  render(): VNode {
    return (
      <FormDialog
        texts={this.texts}
        heading={this.account.email}
        action={this.texts.get('admin.save')}
        busy={this.saving}
        error={this.error}
        onAction={() => void this.save()}
        onCancel={() => this.cancelled.emit()}
      >
        {this.loadError !== undefined && (
          <p class="form-error" role="alert">
            {explain(this.loadError, this.texts)}
          </p>
        )}
        {this.renderWho()}
        {this.renderWhere()}
        {this.renderTemplates()}
        {this.renderOldMail()}
        {this.renderSignature()}
        <FormError texts={this.texts} error={this.error} shown={Object.keys(this.values)} />
      </FormDialog>
    );
  }

  private renderWho(): VNode[] {
    const text = this.texts;
    return [
      this.text('name', text.get('accounts.name'), text.get('accounts.name_help')),
      <TextField
        name="aliases"
        type="textarea"
        label={text.get('accounts.aliases')}
        value={this.aliases}
        help={text.get('accounts.aliases_help')}
        error={
          this.wrongAlias
            ? text.get('accounts.wrong_alias', { address: this.wrongAlias })
            : fieldError(this.error, 'aliases')
        }
        onValue={(value) => {
          this.aliases = value;
          this.wrongAlias = '';
        }}
      />,
      <PeopleField
        texts={text}
        error={fieldError(this.error, 'users')}
        value={this.values.users}
        people={this.choices.people}
        onValue={(users) => this.set({ users })}
      />,
    ];
  }

  private renderWhere(): VNode[] {
    const text = this.texts;
    return [
      <SelectField
        name="parent_limetype"
        label={text.get('accounts.parent')}
        value={this.values.parent_limetype}
        options={parentOptions(
          this.choices.parents,
          this.values.parent_limetype,
          text.get('accounts.parent_standard'),
        )}
        error={fieldError(this.error, 'parent_limetype')}
        onValue={(value) => this.set({ parent_limetype: value })}
      />,
      <SuggestField
        name="time_zone"
        label={text.get('accounts.time_zone')}
        value={this.values.time_zone}
        help={text.get('accounts.time_zone_help')}
        suggestions={this.choices.timeZones}
        error={fieldError(this.error, 'time_zone')}
        onValue={(value) => this.set({ time_zone: value })}
      />,
      this.text('language', text.get('accounts.language'), text.get('accounts.language_help')),
      <SwitchField
        name="create_persons"
        label={text.get('accounts.create_persons')}
        value={this.values.create_persons}
        onValue={(value) => this.set({ create_persons: value })}
      />,
    ];
  }

  private renderTemplates(): VNode[] {
    const text = this.texts;
    return [
      <h3 class="section">{text.get('accounts.templates')}</h3>,
      this.template('message_template', text.get('accounts.message_template')),
      this.template('autoreply_template', text.get('accounts.autoreply_template')),
      <SwitchField
        name="relay"
        label={text.get('accounts.relay')}
        value={this.values.relay}
        onValue={(value) => this.set({ relay: value })}
      />,
      this.template('relay_template', text.get('accounts.relay_template')),
    ];
  }

  private renderOldMail(): VNode[] {
    const text = this.texts;
    return [
      <h3 class="section">{text.get('accounts.old_mail')}</h3>,
      <SwitchField
        name="import_unread"
        label={text.get('accounts.import_unread')}
        value={this.values.import_unread}
        onValue={(value) => this.set({ import_unread: value })}
      />,
      <p class="quiet" role="status">
        {this.previewText()}
      </p>,
    ];
  }

  private renderSignature(): VNode[] {
    const label = this.texts.get('accounts.signature');
    return [
      <limel-text-editor
        class="signature"
        data-field="signature"
        contentType="html"
        label={label}
        value={this.values.signature}
        helperText={fieldError(this.error, 'signature')}
        invalid={Boolean(fieldError(this.error, 'signature'))}
        ref={(element?: HTMLLimelTextEditorElement) => {
          this.editor = element;
          nameControl(label, '[contenteditable="true"]')(element);
        }}
        onChange={(event: Event) => {
          stop(event);
          this.set({ signature: (event as CustomEvent<string>).detail });
        }}
      />,
    ];
  }

  private text(name: 'name' | 'language', label: string, help: string): VNode {
    return (
      <TextField
        name={name}
        label={label}
        help={help}
        value={this.values[name]}
        error={fieldError(this.error, name)}
        onValue={(value) => this.set({ [name]: value })}
      />
    );
  }

  private template(name: TemplateName, label: string): VNode {
    const fitting = this.choices.templates.filter((each) => each.purpose === PURPOSES[name]);
    const options: Choice[] = [
      { value: '', text: this.texts.get(NONE[name]) },
      ...fitting.map((each) => ({
        value: String(each.id),
        text: `${each.name} (${each.language})`,
      })),
    ];
    const chosen = this.values[name];
    if (chosen !== null && !fitting.some((each) => each.id === chosen)) {
      options.push({ value: String(chosen), text: `#${chosen}` });
    }
    return (
      <SelectField
        name={name}
        label={label}
        value={chosen === null ? '' : String(chosen)}
        options={options}
        error={fieldError(this.error, name)}
        onValue={(value) => this.set({ [name]: value ? Number(value) : null })}
      />
    );
  }

  private previewText(): string {
    if (this.previewProblem) {
      return this.texts.get('accounts.preview_failed', { reason: this.previewProblem });
    }
    if (!this.preview) {
      return this.texts.get('accounts.preview_loading');
    }
    return previewSentence(this.preview, this.texts, localeOf(this.platform));
  }

  private set(changed: Partial<AccountSettings>): void {
    this.values = { ...this.values, ...changed };
  }

  private async loadChoices(): Promise<void> {
    try {
      this.choices = await accountChoices(emailApi(this.platform));
    } catch (error) {
      this.loadError = error;
    }
  }

  private async loadPreview(): Promise<void> {
    try {
      this.preview = await emailApi(this.platform).accounts.preview(this.account.id);
    } catch (error) {
      // The settings can be changed all the same.
      this.previewProblem = explain(error, this.texts);
    }
  }

  private async save(): Promise<void> {
    const aliases = parseAddresses(this.aliases).map((each) => each.email);
    this.wrongAlias = aliases.find((each) => !isAddress(each)) ?? '';
    if (this.saving || this.wrongAlias) {
      return;
    }
    this.saving = true;
    this.error = undefined;
    try {
      // The editor tells what was typed a moment later.
      await (this.editor as Flushing | undefined)?.flushPendingChanges?.();
      const changed = changedSettings(this.account, { ...this.values, aliases });
      const { accounts } = emailApi(this.platform);
      const isChanged = Object.keys(changed).length > 0;
      this.saved.emit(isChanged ? await accounts.change(this.account.id, changed) : this.account);
    } catch (error) {
      this.error = error;
    } finally {
      this.saving = false;
    }
  }
}

interface Flushing {
  flushPendingChanges?: () => Promise<void>;
}

const NONE = {
  message_template: 'accounts.standard_template',
  autoreply_template: 'accounts.no_autoreply',
  relay_template: 'accounts.standard_template',
} as const;
