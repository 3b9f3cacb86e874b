import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { OAuthApp, OAuthAppSettings } from '../../services/email-api/oauth-apps';
import { Texts, textsOf } from '../../translate';
import { fieldError } from '../../ui/explain';
import { SelectField, SwitchField, TextField } from '../../ui/fields';
import { focused } from '../../ui/focus';
import { FormDialog, FormError } from '../../ui/form-dialog';

type Values = Pick<
  OAuthAppSettings,
  'name' | 'client_id' | 'client_secret' | 'base_scopes' | 'authority' | 'enabled'
> & { provider: string };

const SHOWN = ['name', 'provider', 'client_id', 'client_secret', 'base_scopes', 'authority'];

/** The dialog in which an OAuth2 application is created or changed. */
@Component({
  tag: 'lwc-limepkg-email-oauth-app-edit',
  styleUrl: '../../ui/admin.css',
  shadow: true,
})
export class OAuthAppEdit {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** The application that is changed; a new one without. */
  @Prop() app?: OAuthApp;

  /** What to register with the provider, if it is known. */
  @Prop() redirectUrl = '';

  /** The application as it was stored. */
  @Event({ bubbles: false, composed: false }) saved!: EventEmitter<OAuthApp>;

  /** The dialog was closed and nothing stored. */
  @Event({ bubbles: false, composed: false }) cancelled!: EventEmitter<void>;

  @State() private values!: Values;
  @State() private saving = false;
  @State() private error: unknown;
  @State() private missing: readonly string[] = [];

  private texts!: Texts;
  private readonly opener = focused();

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    this.values = {
      name: this.app?.name ?? '',
      provider: this.app?.provider ?? 'gmail',
      client_id: this.app?.client_id ?? '',
      client_secret: '',
      base_scopes: this.app?.base_scopes ?? 'imap',
      authority: this.app?.authority ?? '',
      enabled: this.app?.enabled ?? true,
    };
    await this.texts.ready;
  }

  disconnectedCallback(): void {
    this.opener?.focus();
  }

  render(): VNode {
    const title = this.app
      ? this.texts.get('oauth.edit_title', { name: this.app.name })
      : this.texts.get('oauth.add_title');
    return (
      <FormDialog
        texts={this.texts}
        heading={title}
        action={this.texts.get(this.app ? 'admin.save' : 'oauth.create')}
        busy={this.saving}
        error={this.error}
        onAction={() => void this.save()}
        onCancel={() => this.cancelled.emit()}
      >
        {this.renderFields()}
      </FormDialog>
    );
  }

  private renderFields(): VNode[] {
    const text = this.texts;
    const { values } = this;
    const microsoft = values.provider === 'outlook';
    return [
      <p class="quiet">
        {text.get(microsoft ? 'oauth.register_microsoft' : 'oauth.register_google')}
      </p>,
      this.redirectUrl && (
        <lwc-limepkg-email-copy
          platform={this.platform}
          label={text.get('oauth.redirect')}
          value={this.redirectUrl}
        />
      ),
      <SelectField
        name="provider"
        label={text.get('oauth.provider')}
        value={values.provider}
        options={this.providers()}
        required={true}
        disabled={Boolean(this.app)}
        help={this.app ? text.get('oauth.provider_stays') : ''}
        error={fieldError(this.error, 'provider')}
        onValue={(provider) => this.set({ provider })}
      />,
      this.text('name', text.get('oauth.name'), { required: true, maxlength: 256 }),
      this.text('client_id', text.get('oauth.client_id'), { required: true, maxlength: 512 }),
      this.text('client_secret', this.secretLabel(), {
        required: !this.app,
        type: 'password',
        maxlength: 1024,
        help: this.secretHelp(),
      }),
      <SelectField
        name="base_scopes"
        label={text.get('oauth.base_scopes')}
        value={values.base_scopes}
        options={[
          { value: 'imap', text: text.get('oauth.scopes.imap') },
          {
            value: 'api',
            text: text.get(microsoft ? 'oauth.scopes.graph' : 'oauth.scopes.gmail'),
          },
        ]}
        required={true}
        error={fieldError(this.error, 'base_scopes')}
        onValue={(scopes) => this.set({ base_scopes: scopes === 'api' ? 'api' : 'imap' })}
      />,
      microsoft &&
        this.text('authority', text.get('oauth.authority'), {
          required: true,
          help: text.get('oauth.authority_help'),
          maxlength: 256,
        }),
      <SwitchField
        name="enabled"
        label={text.get('oauth.enabled')}
        value={values.enabled}
        onValue={(enabled) => this.set({ enabled })}
      />,
      <FormError texts={text} error={this.error} shown={SHOWN} />,
    ];
  }

  private text(
    name: 'name' | 'client_id' | 'client_secret' | 'authority',
    label: string,
    more: { required?: boolean; type?: 'password'; help?: string; maxlength?: number },
  ): VNode {
    const error = this.missing.includes(name)
      ? this.texts.get('admin.required')
      : fieldError(this.error, name);
    return (
      <TextField
        name={name}
        label={label}
        value={this.values[name]}
        error={error}
        onValue={(value) => this.set({ [name]: value })}
        {...more}
      />
    );
  }

  /** Whether it is set stands in the label, since help shows in a field with focus only. */
  private secretLabel(): string {
    const isKept = this.app && this.app.has_secret !== false;
    return this.texts.get(isKept ? 'oauth.client_secret_keep' : 'oauth.client_secret');
  }

  private secretHelp(): string {
    return this.texts.get(
      this.app?.has_secret === false ? 'oauth.secret_missing' : 'oauth.secret_new',
    );
  }

  private providers(): { value: string; text: string }[] {
    const found = [
      { value: 'gmail', text: 'Google' },
      { value: 'outlook', text: 'Microsoft' },
    ];
    const own = this.app?.provider;
    return !own || found.some((each) => each.value === own)
      ? found
      : [...found, { value: own, text: own }];
  }

  private set(changed: Partial<Values>): void {
    this.values = { ...this.values, ...changed };
    this.missing = this.missing.filter((name) => !(name in changed));
  }

  private async save(): Promise<void> {
    if (this.saving || !this.isComplete()) {
      return;
    }
    this.saving = true;
    this.error = undefined;
    try {
      this.saved.emit(await this.store());
    } catch (error) {
      this.error = error;
    } finally {
      this.saving = false;
    }
  }

  private isComplete(): boolean {
    const { values } = this;
    const needed: ('name' | 'client_id' | 'client_secret' | 'authority')[] = ['name', 'client_id'];
    if (values.provider === 'outlook') {
      needed.push('authority');
    }
    if (!this.app) {
      needed.push('client_secret');
    }
    this.missing = needed.filter((each) => !values[each].trim());
    return this.missing.length === 0;
  }

  private store(): Promise<OAuthApp> {
    const { provider, client_secret: secret, authority, ...rest } = this.values;
    const plain = {
      ...rest,
      name: rest.name.trim(),
      client_id: rest.client_id.trim(),
      ...(provider === 'outlook' ? { authority: authority.trim() } : {}),
    };
    const { oauthApps } = emailApi(this.platform);
    if (!this.app) {
      return oauthApps.create({ ...plain, provider, client_secret: secret.trim() });
    }
    // An empty secret means that the stored one stays.
    return oauthApps.change(this.app.id, {
      ...plain,
      ...(secret.trim() ? { client_secret: secret.trim() } : {}),
    });
  }
}
