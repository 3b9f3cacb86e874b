import {
  Component,
  Element,
  Event,
  EventEmitter,
  h,
  Host,
  Listen,
  Method,
  Prop,
  State,
  VNode,
  Watch,
} from '@stencil/core';

import { Locale, localeOf } from '../../locale';
import { Context, Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { MessageDocument, Submitted } from '../../services/email-api/messages';
import { Snippet } from '../../services/email-api/snippets';
import { Template } from '../../services/email-api/templates';
import { TextKey, Texts, textsOf } from '../../translate';
import { exactDate } from '../../ui/dates';
import { nameControl } from '../../ui/name-control';
import { notifyError } from '../../ui/notify';
import { asDataUrl, EditorElement, focusText, insertAtCursor, isPicture } from './editor';
import { From, RecordDocuments, Schedule, Signature, Subject, Wrong } from './fields';
import { isPossible, PresetName, presets } from './later';
import { Doubts, Failed, Hindrances, Unavailable } from './notices';
import { Action, SaveStatus, SentBar, SnippetList } from './parts';
import { Place, templatesFor } from './materials';
import { receivers } from './people';
import { SnippetSearch, TriggerPlace } from './snippet-search';
import { bytesOfPictures } from './wording';
import { Writing } from './writing';

interface TriggerDetail {
  textEditor: TriggerPlace;
  value: string;
}

interface MenuChoice {
  text: string;
  secondaryText?: string;
  icon?: string;
  value: string;
}

/**
 * Writes a message: an answer in a conversation, or the first one of a new conversation on an
 * object. What is written is kept on the server, and can be taken back for a while when it is sent.
 */
@Component({
  tag: 'lwc-email-composer',
  styleUrl: 'lwc-email-composer.css',
  shadow: true,
})
export class EmailComposer {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** The conversation that is answered, or the object on which a new one is begun. */
  @Prop() context?: Context;

  /** The conversation that is answered, where the context is another object. */
  @Prop() conversation?: number;

  /** `new` begins a conversation whatever the context is. */
  @Prop({ reflect: true }) mode?: 'reply' | 'new';

  /** Shows one line until somebody begins to write. */
  @Prop({ mutable: true, reflect: true }) collapsed = false;

  @Element() private host!: HTMLElement;

  @State() private tick = 0;
  @State() private dropping = false;
  @State() private offline = false;
  @State() private scheduling = false;
  @State() private templates: Template[] = [];
  @State() private snippets: Snippet[] = [];
  @State() private documents?: MessageDocument[];
  @State() private editorText = '';

  /** A message is on its way: the ids of what was made. */
  @Event() sent!: EventEmitter<Submitted>;

  private writing?: Writing;
  private search!: SnippetSearch;
  private texts!: Texts;
  private locale!: Locale;
  private editor?: EditorElement;
  private files?: HTMLInputElement;
  private focusNext = '';
  private begun = '';

  connectedCallback(): void {
    this.offline = typeof navigator !== 'undefined' && navigator.onLine === false;
    if (this.texts && !this.writing) {
      this.begin();
    }
  }

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    this.locale = localeOf(this.platform);
    this.search = new SnippetSearch(emailApi(this.platform).snippets, () => this.changed());
    await this.texts.ready;
    this.begin();
  }

  componentDidRender(): void {
    const target =
      this.focusNext && this.host.shadowRoot?.querySelector<HTMLElement>(this.focusNext);
    if (target) {
      this.focusNext = '';
      target.focus();
    }
  }

  disconnectedCallback(): void {
    this.writing?.close();
    this.writing = undefined;
    this.begun = '';
  }

  @Watch('context')
  @Watch('conversation')
  @Watch('mode')
  protected begin(): void {
    const place = this.place();
    const begun = JSON.stringify(place);
    // Hosts give new objects that say the same, again and again.
    if (!this.texts || begun === this.begun) {
      return;
    }
    this.writing?.close();
    this.begun = begun;
    this.documents = undefined;
    this.editorText = '';
    this.writing = new Writing({
      platform: this.platform,
      place,
      texts: this.texts,
      changed: () => this.changed(),
      replaceText: (html) => this.replaceText(html),
      sent: (submitted) => this.sent.emit(submitted),
    });
    void this.writing.load().then(() => this.loadMenus());
  }

  /** Put the cursor into the text, for hosts that have a key for answering. */
  @Method()
  async write(): Promise<void> {
    this.expand();
    await Promise.resolve();
  }

  @Listen('keydown', { capture: true })
  protected handleKey(event: KeyboardEvent): void {
    if (this.search.press(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      // Before the editor sees it, for which it is a line break.
      event.preventDefault();
      event.stopPropagation();
      void this.send();
    }
  }

  @Listen('keydown')
  protected handleEscape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.defaultPrevented) {
      return;
    }
    if (this.scheduling) {
      this.scheduling = false;
      this.focusNext = '.later-menu button';
    } else if (this.writing?.phase === 'ready') {
      void this.collapse();
    }
  }

  @Listen('beforeunload', { target: 'window' })
  protected handleLeave(event: BeforeUnloadEvent): void {
    if (this.writing?.wouldLose) {
      event.preventDefault();
    }
  }

  @Listen('offline', { target: 'window' })
  protected handleOffline(): void {
    this.offline = true;
  }

  @Listen('online', { target: 'window' })
  protected handleOnline(): void {
    this.offline = false;
    void this.writing?.saver.flush();
  }

  render(): VNode {
    const { writing, texts } = this;
    if (!writing || writing.phase === 'loading') {
      return (
        <Host>
          <p class="quiet" role="status">
            {texts.get('composer.loading')}
          </p>
        </Host>
      );
    }
    if (writing.phase === 'unavailable') {
      return (
        <Host>
          <Unavailable writing={writing} texts={texts} />
        </Host>
      );
    }
    return (
      <Host>
        {this.aftermath(writing)}
        {this.collapsed ? this.line(writing) : this.form(writing)}
      </Host>
    );
  }

  private aftermath(writing: Writing): VNode {
    const { texts, locale } = this;
    return (
      <div class="aftermath">
        <SentBar
          aftermath={writing.aftermath}
          texts={texts}
          locale={locale}
          onUndo={() => void this.undo()}
          onDismiss={() => {
            this.focusNext = '.line, .send';
            writing.aftermath.dismiss();
          }}
        />
        <Failed writing={writing} texts={texts} />
      </div>
    );
  }

  private line(writing: Writing): VNode {
    const { texts } = this;
    const label = !writing.isBlank
      ? texts.get('composer.continue')
      : texts.get(writing.isReply ? 'composer.reply' : 'composer.new');
    return (
      <button type="button" class="line" onClick={() => this.expand()}>
        {label}
        <SaveStatus saver={writing.saver} texts={texts} />
      </button>
    );
  }

  private form(writing: Writing): VNode {
    const { texts } = this;
    const busy = writing.phase === 'sending';
    const label = texts.get(writing.isReply ? 'composer.reply' : 'composer.new');
    return (
      <section
        class={{ composer: true, dropping: this.dropping }}
        aria-label={label}
        aria-busy={busy ? 'true' : undefined}
        onDragOver={(event) => this.dragged(event)}
        onDragLeave={(event) => this.draggedOut(event)}
        onDrop={(event) => this.dropped(event)}
      >
        <header>
          <h2>{label}</h2>
          <SaveStatus saver={writing.saver} texts={texts} />
          <button
            type="button"
            class="icon"
            aria-label={texts.get('composer.collapse')}
            title={texts.get('composer.collapse')}
            onClick={() => void this.collapse()}
          >
            –
          </button>
        </header>
        <Hindrances writing={writing} texts={texts} offline={this.offline} />
        <From writing={writing} texts={texts} />
        <lwc-limepkg-email-recipients
          platform={this.platform}
          people={writing.people}
          beside={writing.isReply ? { conversation: writing.conversation } : (writing.parent ?? {})}
          error={writing.problems.people}
          disabled={busy}
          onAddPeople={(event) => writing.add(event.detail)}
          onTogglePerson={(event) => writing.toggle(event.detail)}
        />
        <Subject writing={writing} texts={texts} />
        {this.text(writing)}
        <Signature writing={writing} texts={texts} />
        <lwc-limepkg-email-attachments
          platform={this.platform}
          attached={writing.attached}
          limits={writing.limits}
          pictures={bytesOfPictures(writing.html)}
          progress={busy ? writing.progress : undefined}
          error={writing.problems.files}
          onDetach={(event) => writing.detach(event.detail)}
        />
        {this.documents && (
          <RecordDocuments writing={writing} texts={texts} documents={this.documents} />
        )}
        <Doubts
          writing={writing}
          texts={texts}
          locale={this.locale}
          onAnyway={() => void this.send((each) => each.sendAnyway())}
          onRetry={() => void this.send((each) => each.retry())}
        />
        {this.footer(writing)}
      </section>
    );
  }

  private text(writing: Writing): VNode {
    const { texts, search } = this;
    const error = writing.problems.text;
    return (
      <div class="text" onPaste={(event) => this.pasted(event)}>
        {this.toolbar(writing)}
        <limel-text-editor
          ref={(element) => this.mounted(element)}
          contentType="html"
          language={this.texts.language === 'sv' ? 'sv' : 'en'}
          value={this.editorText}
          placeholder={texts.get('composer.placeholder')}
          allowResize={false}
          readonly={writing.phase === 'sending'}
          invalid={Boolean(error)}
          triggers={TRIGGERS}
          inlineImages={this.inlineImages}
          onChange={(event) => this.edited(event)}
          onTriggerStart={(event) => this.triggered(event)}
          onTriggerChange={(event) => this.triggered(event)}
          onTriggerStop={(event) => {
            event.stopPropagation();
            search.close();
          }}
        />
        {search.isOpen && search.found.length > 0 && (
          <SnippetList
            snippets={search.found}
            active={search.active}
            texts={texts}
            onTake={(snippet) => void search.take(snippet)}
          />
        )}
        {error && <Wrong sentence={error} />}
      </div>
    );
  }

  private toolbar(writing: Writing): VNode {
    const { texts } = this;
    const templates = this.templates.map((each) => ({ text: each.name, value: String(each.id) }));
    const snippets = this.snippets.map((each) => ({ text: each.title, value: String(each.id) }));
    return (
      <div class="tools" role="toolbar" aria-label={texts.get('composer.tools')}>
        {this.menu('templates', texts.get('composer.templates'), templates, (id) =>
          this.insertTemplate(Number(id)),
        )}
        {this.menu('snippets', texts.get('composer.snippets'), snippets, (id) =>
          this.insertSnippet(Number(id)),
        )}
        <Action
          text={texts.get('composer.attach')}
          name="attach"
          onPress={() => this.files?.click()}
        />
        <input
          ref={(element) => (this.files = element)}
          type="file"
          multiple
          hidden
          tabindex={-1}
          aria-label={texts.get('composer.attach')}
          onChange={(event) => this.picked(event)}
        />
        {(writing.isReply || writing.parent) && (
          <Action
            text={texts.get('composer.from_record')}
            name="record"
            onPress={() => void this.toggleRecord(writing)}
          />
        )}
      </div>
    );
  }

  private menu(
    name: string,
    label: string,
    items: MenuChoice[],
    choose: (value: string) => unknown,
  ): VNode | null {
    if (!items.length) {
      return null;
    }
    return (
      <limel-menu
        class={`${name}-menu`}
        items={items}
        openDirection="bottom-start"
        onSelect={(event) => {
          event.stopPropagation();
          choose(String(event.detail.value));
        }}
      >
        <button slot="trigger" type="button" class="plain" data-action={name}>
          {label} <span aria-hidden="true">▾</span>
        </button>
      </limel-menu>
    );
  }

  private footer(writing: Writing): VNode {
    const { texts } = this;
    const busy = writing.phase === 'sending';
    const count = receivers(writing.people).length;
    return (
      <footer>
        {this.scheduling && (
          <Schedule
            writing={writing}
            texts={texts}
            locale={this.locale}
            onTime={(at) => this.sendAt(at)}
            onCancel={() => (this.scheduling = false)}
          />
        )}
        <div class="split">
          <button
            type="button"
            class="primary send"
            disabled={busy}
            title={texts.get('composer.shortcut')}
            onClick={() => void this.send()}
          >
            {busy
              ? texts.get('composer.handing_in')
              : count > 1
                ? texts.count('composer.send_to', count)
                : texts.get('composer.send')}
          </button>
          {!busy && this.later()}
        </div>
        <span class="quiet shortcut">{texts.get('composer.shortcut')}</span>
        <Action
          text={texts.get('composer.discard')}
          name="discard"
          disabled={busy}
          onPress={() => void writing.discard()}
        />
      </footer>
    );
  }

  private later(): VNode {
    const { texts, locale } = this;
    const items: MenuChoice[] = presets(new Date(), locale).map(({ name, at }) => ({
      text: texts.get(PRESETS[name]),
      secondaryText: exactDate(at, locale),
      value: at.toISOString(),
    }));
    items.push({ text: texts.get('composer.choose_time'), icon: 'calendar', value: '' });
    return (
      <limel-menu
        class="later-menu"
        items={items}
        openDirection="top-start"
        onSelect={(event) => {
          event.stopPropagation();
          this.chooseTime(String(event.detail.value));
        }}
      >
        <button
          slot="trigger"
          type="button"
          class="primary"
          aria-label={texts.get('composer.send_later')}
          title={texts.get('composer.send_later')}
        >
          <span aria-hidden="true">▾</span>
        </button>
      </limel-menu>
    );
  }

  private place(): Place {
    const { context } = this;
    const answered =
      this.conversation ?? (context?.limetype === 'conversation' ? context.id : undefined);
    if (answered && this.mode !== 'new') {
      return { conversation: answered };
    }
    const { limetype, id } =
      context?.limetype === 'conversation' ? (context.parent ?? {}) : (context ?? {});
    return limetype && id ? { conversation: 0, parent: { limetype, id } } : { conversation: 0 };
  }

  private changed(): void {
    this.tick += 1;
  }

  private async loadMenus(): Promise<void> {
    const api = emailApi(this.platform);
    try {
      const { accounts, account } = this.writing ?? { accounts: [], account: 0 };
      const chosen = accounts.find((each) => each.id === account);
      this.templates = await templatesFor(api, chosen);
      this.snippets = (await api.snippets.list({ limit: 200 })).items;
    } catch {
      // Messages can be written without them.
      this.templates = [];
    }
  }

  private mounted(element?: HTMLElement): void {
    this.editor = element;
    nameControl(this.texts.get('composer.text'))(element);
  }

  private replaceText(html: string): void {
    this.editorText = html;
    if (!html) {
      // The editor may hold text that it has not told of yet.
      void this.editor?.clear?.();
    }
  }

  private edited(event: Event): void {
    event.stopPropagation();
    if (event.target === this.editor) {
      const html = (event as CustomEvent<string>).detail;
      this.editorText = html;
      this.writing?.setText(html);
    }
  }

  private triggered(event: CustomEvent<TriggerDetail>): void {
    event.stopPropagation();
    const { textEditor, value } = event.detail;
    if (event.type === 'triggerStart') {
      this.search.open(textEditor);
    } else if (this.search.isOpen) {
      this.search.narrow(value, textEditor);
    }
  }

  private readonly inlineImages = {
    upload: async (file: File): Promise<string> => {
      const { writing } = this;
      if (!writing || file.size > writing.limits.each || !isPicture(file)) {
        writing?.attach([file]);
        throw new Error(file.name);
      }
      return asDataUrl(file);
    },
  };

  private async insertTemplate(id: number): Promise<void> {
    try {
      const rendered = await this.writing?.fill(id);
      if (rendered) {
        this.insert(rendered.html);
      }
    } catch (error) {
      notifyError(this.platform, this.texts.get('composer.not_filled'), error);
    }
  }

  private insertSnippet(id: number): void {
    const snippet = this.snippets.find((each) => each.id === id);
    if (snippet) {
      this.insert(snippet.text);
    }
  }

  private insert(html: string): void {
    if (!this.editor || !insertAtCursor(this.editor, html)) {
      this.editorText = `${this.writing?.html ?? ''}${html}`;
      this.writing?.setText(this.editorText);
    }
  }

  private async toggleRecord(writing: Writing): Promise<void> {
    if (this.documents) {
      this.documents = undefined;
      return;
    }
    try {
      this.documents = await writing.documents();
    } catch (error) {
      notifyError(this.platform, this.texts.get('composer.documents_failed'), error);
    }
  }

  private picked(event: Event): void {
    event.stopPropagation();
    const input = event.target as HTMLInputElement;
    this.writing?.attach(Array.from(input.files ?? []));
    // So that the same file can be picked again after it was removed.
    input.value = '';
  }

  private pasted(event: ClipboardEvent): void {
    const files = Array.from(event.clipboardData?.files ?? []);
    const others = files.filter((each) => !isPicture(each));
    if (others.length) {
      event.preventDefault();
      event.stopPropagation();
      this.writing?.attach(others);
    }
  }

  private dragged(event: DragEvent): void {
    if (Array.from(event.dataTransfer?.types ?? []).includes('Files')) {
      event.preventDefault();
      this.dropping = true;
    }
  }

  private draggedOut(event: DragEvent): void {
    const into = event.relatedTarget;
    this.dropping = into instanceof Node && this.host.shadowRoot?.contains(into) === true;
  }

  private dropped(event: DragEvent): void {
    this.dropping = false;
    const files = Array.from(event.dataTransfer?.files ?? []);
    if (files.length) {
      event.preventDefault();
      this.writing?.attach(files);
    }
  }

  private chooseTime(value: string): void {
    if (value) {
      this.sendAt(new Date(value));
    } else {
      this.scheduling = true;
      this.focusNext = '[name="send-at"]';
    }
  }

  private sendAt(at: Date | undefined): void {
    const { writing } = this;
    if (!writing || !at || !isPossible(at, new Date())) {
      if (writing) {
        writing.problems = { ...writing.problems, time: this.texts.get('composer.wrong_time') };
        this.changed();
      }
      return;
    }
    void this.send((each) => each.send({ at }));
  }

  private async send(
    how: (writing: Writing) => Promise<void> = (each) => each.send(),
  ): Promise<void> {
    const { writing } = this;
    if (!writing || this.collapsed) {
      return;
    }
    await this.editor?.flushPendingChanges?.();
    const before = writing.aftermath.sent;
    await how(writing);
    if (writing.aftermath.sent && writing.aftermath.sent !== before) {
      this.scheduling = false;
      this.documents = undefined;
      this.focusNext = '[data-action="undo"], .send';
    } else if (Object.keys(writing.problems).length) {
      this.focusNext = '[aria-invalid="true"]';
    } else if (writing.arrived.length || writing.error) {
      this.focusNext = '[data-action="look"], [data-action="retry"]';
    }
    this.changed();
  }

  private async undo(): Promise<void> {
    this.collapsed = false;
    await this.writing?.undo();
    if (this.editor && !this.writing?.error) {
      focusText(this.editor);
    }
  }

  private async collapse(): Promise<void> {
    await this.editor?.flushPendingChanges?.();
    this.collapsed = true;
    this.focusNext = '.line';
  }

  private expand(): void {
    this.collapsed = false;
    setTimeout(() => this.editor && focusText(this.editor), 100);
  }
}

const TRIGGERS = ['!' as const];

const PRESETS: Record<PresetName, TextKey> = {
  later_today: 'composer.later_today',
  tomorrow: 'composer.tomorrow',
  monday: 'composer.monday',
};
