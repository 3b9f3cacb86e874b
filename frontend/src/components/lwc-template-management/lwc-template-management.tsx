import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { Context, Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { ListedTemplate, NewTemplate, Template } from '../../services/email-api/templates';
import { TextKey, Texts, textsOf } from '../../translate';
import { confirmAction } from '../../ui/confirm';
import { explain } from '../../ui/explain';
import { SelectField } from '../../ui/fields';
import { alert, notify, notifyError } from '../../ui/notify';
import { countNew, PURPOSES } from './listing';

const PURPOSE_NAMES: Record<string, TextKey> = {
  message: 'templates.purpose.message',
  autoreply: 'templates.purpose.autoreply',
  relay: 'templates.purpose.relay',
};
const PURPOSE_HELP: Record<string, TextKey> = {
  message: 'templates.purpose.message_help',
  autoreply: 'templates.purpose.autoreply_help',
  relay: 'templates.purpose.relay_help',
};
const PAGE = 200;

/** Lets administrators keep the templates of mails: list, write, preview, delete, make defaults. */
@Component({
  tag: 'lwc-template-management',
  styleUrls: ['../../ui/admin.css', 'lwc-template-management.css'],
  shadow: true,
})
export class TemplateManagement {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** What the host stands in. */
  @Prop() context?: Context;

  /** The value of the form's field; templates are stored elsewhere, so it stays as it is. */
  @Prop() value?: unknown;

  /** A heading; templates in general unless given. */
  @Prop() label?: string;

  /** Whether templates can only be looked at. */
  @Prop() readonly = false;

  /** Whether templates can only be looked at, for now. */
  @Prop() disabled = false;

  /** As forms pass it; there is always something, so it means nothing here. */
  @Prop() required = false;

  /** Said below the heading. */
  @Prop() helperText?: string;

  /** As forms pass it. */
  @Prop() formInfo?: object;

  /** As forms expect it; never emitted, because nothing here belongs to the form's value. */
  @Event() change!: EventEmitter<unknown>;

  @State() private templates?: ListedTemplate[];
  @State() private failed = '';
  @State() private purpose = '';
  @State() private language = '';
  @State() private edited?: Partial<Template> & NewTemplate;
  @State() private busy = false;
  @State() private said = '';

  private texts!: Texts;
  private list?: HTMLElement;
  private returnTo = '';

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
    void this.load();
  }

  componentDidRender(): void {
    if (!this.edited && this.returnTo && this.list) {
      this.list.querySelector<HTMLElement>(this.returnTo)?.focus();
      this.returnTo = '';
    }
  }

  render(): VNode {
    if (this.edited) {
      return (
        <lwc-limepkg-email-template-edit
          key={String(this.edited.id ?? 'new')}
          platform={this.platform}
          template={this.edited}
          readonly={this.isFixed()}
          onSaved={(event) => this.shown(event.detail)}
          onClosed={() => (this.edited = undefined)}
        />
      );
    }
    return (
      <div class="root" ref={(element) => (this.list = element)}>
        {this.head()}
        <p class="hidden" role="status">
          {this.said}
        </p>
        {this.content()}
      </div>
    );
  }

  private head(): VNode {
    const text = this.texts;
    return (
      <div class="head">
        <div>
          <h2>{this.label ?? text.get('templates.title')}</h2>
          <p class="quiet">{this.helperText ?? text.get('templates.help')}</p>
        </div>
        {!this.isFixed() && (
          <div class="actions">
            <limel-button
              class="defaults"
              label={text.get('templates.create_defaults')}
              loading={this.busy}
              disabled={this.busy}
              onClick={() => void this.createDefaults()}
            />
            <limel-button
              class="new"
              primary={true}
              label={text.get('templates.new')}
              onClick={() => this.write()}
            />
          </div>
        )}
      </div>
    );
  }

  private content(): VNode | VNode[] {
    const text = this.texts;
    if (this.failed) {
      return (
        <div class="panel failed" role="alert">
          <p class="panel-title">{text.get('templates.not_loaded')}</p>
          <p>{this.failed}</p>
          <limel-button label={text.get('templates.again')} onClick={() => void this.load()} />
        </div>
      );
    }
    if (!this.templates) {
      return <p class="quiet">{text.get('templates.loading')}</p>;
    }
    if (this.templates.length === 0) {
      return (
        <div class="panel empty">
          <p class="panel-title">{text.get('templates.empty')}</p>
          <p>{text.get('templates.empty_help')}</p>
        </div>
      );
    }
    const shown = this.chosen();
    return [
      this.filters(),
      ...PURPOSES.filter((each) => shown.some((found) => found.purpose === each)).map((each) =>
        this.group(
          each,
          shown.filter((found) => found.purpose === each),
        ),
      ),
      shown.length === 0 && <p class="quiet">{text.get('templates.none_chosen')}</p>,
    ].filter((each): each is VNode => each !== false);
  }

  private filters(): VNode {
    const text = this.texts;
    const own = (this.templates ?? []).map((each) => each.language);
    // Default templates come in some languages before there is any template in them.
    const languages = [...new Set(['en', 'sv', ...own])].sort();
    return (
      <div class="filters">
        <SelectField
          name="filter-purpose"
          label={text.get('templates.purpose')}
          value={this.purpose}
          options={[
            { value: '', text: text.get('templates.all') },
            ...PURPOSES.map((each) => ({ value: each, text: this.purposeName(each) })),
          ]}
          onValue={(purpose) => (this.purpose = purpose)}
        />
        <SelectField
          name="filter-language"
          label={text.get('templates.language')}
          value={this.language}
          options={[
            { value: '', text: text.get('templates.all') },
            ...languages.map((each) => ({ value: each, text: this.languageName(each) })),
          ]}
          onValue={(language) => (this.language = language)}
        />
      </div>
    );
  }

  private group(purpose: string, templates: ListedTemplate[]): VNode {
    const help = PURPOSE_HELP[purpose];
    return (
      <section class="group" aria-label={this.purposeName(purpose)}>
        <h3 class="section">{this.purposeName(purpose)}</h3>
        {help && <p class="quiet">{this.texts.get(help)}</p>}
        <ul>
          {templates.map((each) => (
            <li key={String(each.id)} data-id={each.id}>
              {this.entry(each)}
            </li>
          ))}
        </ul>
      </section>
    );
  }

  private entry(template: ListedTemplate): VNode[] {
    const text = this.texts;
    const { name } = template;
    return [
      <div class="what">
        <p class="name">
          <strong>{name}</strong>
          {template.is_default && <span class="chip good">{text.get('templates.default')}</span>}
        </p>
        <p class="quiet">
          {this.languageName(template.language)}
          {template.subject && ` · ${template.subject}`}
        </p>
        {template.used_by.length > 0 && (
          <p class="quiet used">
            {text.get('templates.used_by', { accounts: template.used_by.join(', ') })}
          </p>
        )}
      </div>,
      <div class="actions">
        {this.isFixed()
          ? this.action(
              'edit',
              text.get('templates.look'),
              text.get('templates.look_at', { name }),
              () => this.write(template),
            )
          : [
              this.action(
                'edit',
                text.get('templates.edit'),
                text.get('templates.edit_named', { name }),
                () => this.write(template),
              ),
              this.action(
                'copy',
                text.get('templates.copy'),
                text.get('templates.copy_named', { name }),
                () => this.copy(template),
              ),
              this.action(
                'delete',
                text.get('templates.delete'),
                text.get('templates.delete_named', { name }),
                () => void this.deleteTemplate(template),
              ),
            ]}
      </div>,
    ];
  }

  private action(kind: string, label: string, full: string, act: () => void): VNode {
    return (
      <button type="button" class={`plain ${kind}`} aria-label={full} onClick={act}>
        {label}
      </button>
    );
  }

  private purposeName(purpose: string): string {
    const key = PURPOSE_NAMES[purpose];
    return key ? this.texts.get(key) : purpose;
  }

  private languageName(language: string): string {
    try {
      const names = new Intl.DisplayNames([this.texts.language], { type: 'language' });
      const name = names.of(language) ?? language;
      return name === language ? language : `${name} (${language})`;
    } catch {
      return language;
    }
  }

  private isFixed(): boolean {
    return this.readonly || this.disabled;
  }

  private chosen(): ListedTemplate[] {
    return (this.templates ?? []).filter(
      (each) =>
        (!this.purpose || each.purpose === this.purpose) &&
        (!this.language || each.language === this.language),
    );
  }

  private write(template?: ListedTemplate): void {
    this.returnTo = template ? `[data-id="${template.id}"] .edit` : '.new';
    this.edited = template ?? {
      name: '',
      purpose: this.purpose || 'message',
      language: this.language || this.texts.language,
      subject: '{{ conversation.subject }}',
      body: '',
      is_default: false,
    };
  }

  private copy(template: ListedTemplate): void {
    const { purpose, language, subject, body } = template;
    const name = this.texts.get('templates.copy_of', { name: template.name });
    this.returnTo = `[data-id="${template.id}"] .copy`;
    this.edited = { name, purpose, language, subject, body, is_default: false };
  }

  private shown(template: Template): void {
    this.edited = undefined;
    this.purpose = this.purpose && template.purpose;
    this.language = this.language && template.language;
    this.returnTo = `[data-id="${template.id}"] .edit`;
    void this.load();
  }

  private async load(): Promise<void> {
    const { templates } = emailApi(this.platform);
    try {
      const found: ListedTemplate[] = [];
      for (;;) {
        const page = await templates.list({ limit: PAGE, offset: found.length });
        found.push(...page.items);
        if (page.items.length === 0 || found.length >= page.total) {
          break;
        }
      }
      this.templates = found;
      this.failed = '';
    } catch (error) {
      this.failed = explain(error, this.texts);
    }
  }

  private async createDefaults(): Promise<void> {
    const text = this.texts;
    const before = this.templates ?? [];
    this.busy = true;
    try {
      const made = await emailApi(this.platform).templates.createDefaults(
        this.language || undefined,
      );
      const fresh = countNew(before, made.items);
      this.said =
        fresh > 0
          ? text.count('templates.defaults_created', fresh)
          : text.get('templates.defaults_there');
      notify(this.platform, this.said);
      await this.load();
    } catch (error) {
      notifyError(this.platform, text.get('templates.defaults_not_created'), error);
    } finally {
      this.busy = false;
    }
  }

  private async deleteTemplate(template: ListedTemplate): Promise<void> {
    const text = this.texts;
    const { name } = template;
    if (template.used_by.length > 0) {
      const accounts = template.used_by.join(', ');
      alert(
        this.platform,
        text.get('templates.not_deleted', { name }),
        text.get('templates.used_by', { accounts }),
      );
      return;
    }
    const agreed = await confirmAction(this.platform, {
      title: text.get('templates.delete_question', { name }),
      message: text.get(
        template.is_default ? 'templates.delete_default_message' : 'templates.delete_message',
      ),
      action: text.get('templates.delete'),
    });
    if (!agreed) {
      return;
    }
    try {
      await emailApi(this.platform).templates.remove(template.id);
      this.said = text.get('templates.deleted', { name });
      notify(this.platform, this.said);
      this.returnTo = '.new';
    } catch (error) {
      notifyError(this.platform, text.get('templates.not_deleted', { name }), error);
    }
    await this.load();
  }
}
