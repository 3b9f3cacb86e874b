import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { NewTemplate, PlaceholderGroup, Template } from '../../services/email-api/templates';
import { EmailError } from '../../services/email-error';
import { Texts, textsOf } from '../../translate';
import { confirmAction } from '../../ui/confirm';
import { explain, otherErrors } from '../../ui/explain';
import { SelectField, stop, SwitchField, TextField } from '../../ui/fields';
import { nameControl } from '../../ui/name-control';
import { notify } from '../../ui/notify';
import { Conflict, FIELDS } from './conflict';
import { inserted, typeInto } from './insertion';
import { fromEditor, placeholder, survivesEditor } from './jinja';
import { Placeholders } from './placeholders';
import { Problems, problemsIn, problemsOf, withLine } from './problems';

type Place = 'subject' | 'body';

/** Writes a template: its fields, what can be inserted, and how it looks beside them. */
@Component({
  tag: 'lwc-limepkg-email-template-edit',
  styleUrls: ['../../ui/admin.css', 'lwc-limepkg-email-template-edit.css'],
  shadow: true,
})
export class TemplateEdit {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** The template to change; without an id, one to be made. */
  @Prop() template!: Partial<Template> & NewTemplate;

  /** Whether the template can only be looked at. */
  @Prop() readonly = false;

  /** The template was stored. */
  @Event({ bubbles: false }) saved!: EventEmitter<Template>;

  /** The user is done without storing anything. */
  @Event({ bubbles: false }) closed!: EventEmitter<void>;

  @State() private draft!: NewTemplate;
  @State() private base?: Template;
  @State() private problems: Problems = {};
  @State() private failed = '';
  @State() private newer?: Template;
  @State() private busy = false;
  @State() private visual = false;
  @State() private tab: 'write' | 'preview' = 'write';
  @State() private groups: PlaceholderGroup[] = [];
  @State() private onlyIfThere = false;

  private texts!: Texts;
  private original = '';
  /** The text as it is now was not stored. */
  private refused = false;
  private place: Place = 'body';
  private heading?: HTMLElement;
  private subjectField?: HTMLElement;
  private editor?: HTMLLimelTextEditorElement;
  private source?: HTMLLwcLimepkgEmailTemplateSourceElement;

  private readonly beforeLeaving = (event: BeforeUnloadEvent): void => {
    if (this.isChanged()) {
      event.preventDefault();
    }
  };

  connectedCallback(): void {
    this.texts = textsOf(this.platform);
    window.addEventListener('beforeunload', this.beforeLeaving);
  }

  componentWillLoad(): void {
    this.base = this.template.id ? (this.template as Template) : undefined;
    this.take(this.template);
    void this.loadPlaceholders();
  }

  componentDidLoad(): void {
    this.heading?.focus();
  }

  disconnectedCallback(): void {
    window.removeEventListener('beforeunload', this.beforeLeaving);
  }

  render(): VNode {
    return (
      <div class="root">
        {this.head()}
        {this.newer && (
          <Conflict
            texts={this.texts}
            draft={this.draft}
            newer={this.newer}
            onTheirs={(newer) => this.takeTheirs(newer)}
            onMine={(newer) => this.keepMine(newer)}
          />
        )}
        <p class="form-error" role="alert">
          {this.failed}
        </p>
        <div class="tabs" role="group" aria-label={this.texts.get('templates.edit.view')}>
          {this.tabButton('write', this.texts.get('templates.edit.write'))}
          {this.tabButton('preview', this.texts.get('templates.preview'))}
        </div>
        <div class={`sides ${this.tab}`}>
          <div class="write">{this.form()}</div>
          <div class="look">
            <lwc-limepkg-email-template-preview
              platform={this.platform}
              subject={this.draft.subject}
              body={this.draft.body}
              language={this.draft.language}
              groups={this.groups}
              onChecked={(event) => this.note(event.detail)}
            />
          </div>
        </div>
      </div>
    );
  }

  private head(): VNode {
    const text = this.texts;
    const title = this.base
      ? text.get('templates.edit.change', { name: this.base.name })
      : text.get('templates.edit.new');
    return (
      <div class="head">
        <h2 tabindex="-1" ref={(element) => (this.heading = element)}>
          {title}
        </h2>
        <div class="actions">
          <limel-button
            class="close"
            label={text.get(this.readonly ? 'templates.edit.close' : 'templates.edit.cancel')}
            onClick={() => void this.close()}
          />
          {!this.readonly && (
            <limel-button
              class="save"
              primary={true}
              label={text.get('templates.edit.save')}
              loading={this.busy}
              loadingFailed={this.failed !== ''}
              disabled={this.busy || this.newer !== undefined}
              onClick={() => void this.save()}
            />
          )}
        </div>
      </div>
    );
  }

  private tabButton(tab: 'write' | 'preview', label: string): VNode {
    return (
      <button
        type="button"
        aria-pressed={String(this.tab === tab)}
        onClick={() => (this.tab = tab)}
      >
        {label}
      </button>
    );
  }

  private form(): VNode[] {
    const text = this.texts;
    const { draft, readonly } = this;
    return [
      <TextField
        name="name"
        label={text.get('templates.name')}
        value={draft.name}
        error={this.error('name')}
        required={true}
        disabled={readonly}
        maxlength={128}
        onValue={(name) => this.change({ name })}
      />,
      <div class="pair">
        <SelectField
          name="purpose"
          label={text.get('templates.purpose')}
          value={draft.purpose}
          options={[
            { value: 'message', text: text.get('templates.purpose.message') },
            { value: 'autoreply', text: text.get('templates.purpose.autoreply') },
            { value: 'relay', text: text.get('templates.purpose.relay') },
          ]}
          error={this.error('purpose')}
          required={true}
          disabled={readonly}
          onValue={(purpose) => this.change({ purpose })}
        />
        <TextField
          name="language"
          label={text.get('templates.language')}
          value={draft.language}
          help={text.get('templates.language_help')}
          error={this.error('language')}
          required={true}
          disabled={readonly}
          onValue={(language) => this.change({ language })}
        />
      </div>,
      <SwitchField
        name="is_default"
        label={text.get('templates.is_default')}
        help={text.get('templates.is_default_help')}
        value={Boolean(draft.is_default)}
        disabled={readonly}
        onValue={(is_default) => this.change({ is_default })}
      />,
      <div
        onFocusin={() => (this.place = 'subject')}
        ref={(element) => (this.subjectField = element)}
      >
        <TextField
          name="subject"
          label={text.get('templates.subject')}
          value={draft.subject}
          disabled={readonly}
          onValue={(subject) => this.change({ subject })}
        />
        {this.list('subject')}
      </div>,
      this.body(),
      !readonly && (
        <Placeholders
          texts={text}
          groups={this.groups}
          onlyIfThere={this.onlyIfThere}
          onOnlyIfThere={(only) => (this.onlyIfThere = only)}
          onInsert={(name) => void this.insert(name)}
        />
      ),
    ].filter((each): each is VNode => each !== false);
  }

  private body(): VNode {
    const text = this.texts;
    const offered = survivesEditor(this.draft.body);
    const visual = this.visual && !this.readonly;
    return (
      <div class="body" onFocusin={() => (this.place = 'body')}>
        <div class="head">
          <span class="section">{text.get('templates.body')}</span>
          {!this.readonly && (
            <div class="tabs always" role="group" aria-label={text.get('templates.body.view')}>
              <button type="button" aria-pressed={String(!visual)} onClick={() => this.show(false)}>
                {text.get('templates.body.source')}
              </button>
              <button
                type="button"
                aria-pressed={String(visual)}
                disabled={!offered && !visual}
                aria-describedby={offered ? undefined : 'why-not'}
                onClick={() => this.show(true)}
              >
                {text.get('templates.body.visual')}
              </button>
            </div>
          )}
        </div>
        {!offered && !visual && !this.readonly && (
          <p class="quiet" id="why-not">
            {text.get('templates.body.source_only')}
          </p>
        )}
        {visual ? this.visualEditor() : this.sourceEditor()}
        {this.list('body')}
      </div>
    );
  }

  private visualEditor(): VNode {
    const label = this.texts.get('templates.body');
    return (
      <limel-text-editor
        contentType="html"
        language={this.texts.language === 'sv' ? 'sv' : 'en'}
        value={this.draft.body}
        ref={(element) => {
          this.editor = element;
          nameControl(label, '[contenteditable="true"]')(element);
        }}
        onChange={(event: Event) => {
          stop(event);
          this.change({ body: fromEditor((event as CustomEvent<string>).detail) });
        }}
      />
    );
  }

  private sourceEditor(): VNode {
    const wrong = (this.problems.body ?? []).map((each) => withLine(each).line ?? 0);
    return (
      <lwc-limepkg-email-template-source
        value={this.draft.body}
        label={this.texts.get('templates.body')}
        wrong={wrong.filter(Boolean)}
        readonly={this.readonly}
        ref={(element) => (this.source = element)}
        onEdited={(event) => this.change({ body: event.detail })}
      />
    );
  }

  private list(field: Place): VNode {
    const found = (this.problems[field] ?? []).map(withLine);
    return (
      <ul class="problems bad" role="status" data-errors={field}>
        {found.map(({ line, sentence }) => (
          <li>
            {sentence}
            {line && field === 'body' && !this.visual ? (
              <button type="button" class="link" onClick={() => void this.source?.goToLine(line)}>
                {this.texts.get('templates.error.go_to_line', { line })}
              </button>
            ) : null}
          </li>
        ))}
      </ul>
    );
  }

  private error(field: keyof NewTemplate): string {
    return (this.problems[field] ?? []).join(' ');
  }

  private change(changed: Partial<NewTemplate>): void {
    this.draft = { ...this.draft, ...changed };
    const kept = { ...this.problems };
    this.refused = false;
    for (const field of Object.keys(changed) as (keyof NewTemplate)[]) {
      delete kept[field];
    }
    this.problems = kept;
    if (Object.keys(kept).length === 0) {
      this.failed = '';
    }
  }

  private take(template: NewTemplate): void {
    const { name, purpose, language, subject, body, is_default } = template;
    this.draft = { name, purpose, language, subject, body, is_default: Boolean(is_default) };
    this.original = JSON.stringify(this.draft);
    this.refused = false;
  }

  private isChanged(): boolean {
    return !this.readonly && JSON.stringify(this.draft) !== this.original;
  }

  /** What the preview found belongs to the texts as they are now; other fields keep theirs. */
  private note(error: EmailError | undefined): void {
    // The preview marks names that there are not, which the server refuses to store.
    if (error ? error.code !== 'template_error' : this.refused) {
      return;
    }
    const { subject, body } = problemsIn(error);
    this.problems = { ...this.problems, subject, body };
  }

  private show(visual: boolean): void {
    this.visual = visual && survivesEditor(this.draft.body);
    this.place = 'body';
  }

  private async insert(name: string): Promise<void> {
    const text = placeholder(name, this.onlyIfThere);
    if (this.place === 'subject') {
      const field = this.subjectField?.querySelector<HTMLElement>('limel-input-field');
      const subject = field ? inserted(field, text) : undefined;
      this.change({ subject: subject ?? this.draft.subject + text });
    } else if (!this.visual) {
      await this.source?.insert(text);
    } else if (!this.editor || !typeInto(this.editor, text)) {
      this.change({ body: `${this.draft.body}<p>${text}</p>` });
    }
  }

  private async loadPlaceholders(): Promise<void> {
    try {
      this.groups = (
        await emailApi(this.platform).templates.placeholders(this.texts.language)
      ).items;
    } catch (error) {
      this.failed = explain(error, this.texts);
    }
  }

  private async save(): Promise<void> {
    await this.editor?.flushPendingChanges?.();
    const problems = problemsOf(this.draft, this.texts);
    if (Object.keys(problems).length > 0) {
      this.problems = problems;
      this.refuse(this.texts.get('templates.error.form'));
      return;
    }
    this.busy = true;
    this.failed = '';
    try {
      await this.store();
    } catch (error) {
      this.explainRefusal(error);
    } finally {
      this.busy = false;
    }
  }

  private async store(): Promise<void> {
    const { templates } = emailApi(this.platform);
    const stored = this.base
      ? await templates.change(this.base.id, this.base.version, this.draft)
      : await templates.create(this.draft);
    this.take(stored);
    notify(this.platform, this.texts.get('templates.saved', { name: stored.name }));
    this.saved.emit(stored);
  }

  private explainRefusal(error: unknown): void {
    const found = error instanceof EmailError ? error : undefined;
    if (found?.status === 409 && found.details.newer) {
      this.newer = found.details.newer as Template;
      return;
    }
    if (found?.status === 404 && this.base) {
      this.base = undefined;
      this.refuse(this.texts.get('templates.error.gone'));
      return;
    }
    this.problems = problemsIn(error);
    const named = FIELDS.some((each) => this.problems[each]?.length);
    const rest = otherErrors(error, FIELDS).join(' ');
    this.refuse(named ? this.texts.get('templates.error.form') : explain(error, this.texts), rest);
  }

  private refuse(...sentences: string[]): void {
    this.tab = 'write';
    this.refused = true;
    this.failed = sentences.filter(Boolean).join(' ');
  }

  private takeTheirs(newer: Template): void {
    this.newer = undefined;
    this.base = newer;
    this.problems = {};
    this.visual = false;
    this.take(newer);
    this.heading?.focus();
  }

  private keepMine(newer: Template): void {
    this.newer = undefined;
    this.base = newer;
    void this.save();
  }

  private async close(): Promise<void> {
    await this.editor?.flushPendingChanges?.();
    const text = this.texts;
    const leaves =
      !this.isChanged() ||
      (await confirmAction(this.platform, {
        title: text.get('templates.discard.title'),
        message: text.get('templates.discard.message'),
        action: text.get('templates.discard.action'),
      }));
    if (leaves) {
      this.closed.emit();
    }
  }
}
