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
import { Submitted } from '../../services/email-api/messages';
import { Texts, textsOf } from '../../translate';
import { From, RecordDocuments, Signature, Subject } from './fields';
import { FileSources } from './file-sources';
import { isPossible } from './later';
import { Doubts, Failed, Hindrances, Unavailable } from './notices';
import { Offers } from './offers';
import { SaveStatus, SentBar } from './parts';
import { placeOf } from './place';
import { SendRow } from './send-row';
import { Text } from './text';
import { TextEditing } from './text-editing';
import { bytesOfPictures } from './wording';
import { Writing } from './writing';

const UNDO = '[data-action="undo"]';

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

  /** The newest message that the page has shown to the author; nobody is warned of that one. */
  @Prop() seen?: number;

  @Element() private host!: HTMLElement;

  @State() private tick = 0;
  @State() private offline = false;
  @State() private scheduling = false;
  /** A message is on its way: the ids of what was made. */
  @Event() sent!: EventEmitter<Submitted>;

  /** The author wants to read a message, whose id this is, before this one is sent. */
  @Event() look!: EventEmitter<number>;

  private writing?: Writing;
  private offers!: Offers;
  private editing!: TextEditing;
  private texts!: Texts;
  private locale!: Locale;
  private focusNext = '';
  private begun = '';
  private recipients?: HTMLLwcLimepkgEmailRecipientsElement;

  private readonly files = new FileSources(
    (files) => this.writing?.attach(files),
    () => this.changed(),
  );

  connectedCallback(): void {
    this.offline = typeof navigator !== 'undefined' && navigator.onLine === false;
    if (this.texts && !this.writing) {
      this.begin();
    }
  }

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    this.locale = localeOf(this.platform);
    const changed = (): void => this.changed();
    this.editing = new TextEditing({
      snippets: emailApi(this.platform).snippets,
      writing: () => this.writing,
      changed,
    });
    this.offers = new Offers({
      platform: this.platform,
      texts: this.texts,
      insert: (html) => this.editing.insert(html),
      changed,
    });
    await this.texts.ready;
    this.begin();
  }

  componentWillRender(): void {
    const focused = this.host.shadowRoot?.activeElement;
    if (focused?.matches(UNDO) && !this.writing?.aftermath.secondsLeft && !this.focusNext) {
      // It goes away now, and the focus must not be lost with it.
      this.focusNext = `${UNDO}, .line, .send`;
    }
  }

  componentDidRender(): void {
    const root = this.host.shadowRoot;
    const target = this.focusNext && root?.querySelector<HTMLElement>(this.focusNext);
    if (!target) {
      return;
    }
    target.focus();
    // What is disabled for one more rendering takes no focus: then the next one tries again.
    if (root?.activeElement === target) {
      this.focusNext = '';
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
    const { platform, texts, offers, editing } = this;
    const place = placeOf(this);
    const begun = JSON.stringify(place);
    // Hosts give new objects that say the same, again and again.
    if (!texts || begun === this.begun) {
      return;
    }
    this.writing?.close();
    this.begun = begun;
    offers.hideDocuments();
    editing.html = '';
    const writing = new Writing({
      platform,
      place,
      texts,
      changed: () => this.changed(),
      replaceText: (html) => editing.replace(html),
      sent: (submitted) => this.sent.emit(submitted),
      look: (message) => {
        void editing.focus().then(() => this.look.emit(message));
      },
    });
    this.writing = writing;
    void writing.load().then(() => {
      this.noteSeen();
      void offers.load(writing);
    });
  }

  @Watch('seen')
  protected noteSeen(): void {
    this.writing?.saw(this.seen ?? 0);
  }

  /** Put the cursor into the text, for hosts that have a key for answering. */
  @Method()
  async write(): Promise<void> {
    this.expand();
    await Promise.resolve();
  }

  @Listen('pointerdown', { capture: true })
  protected handlePointer(): void {
    // Whoever goes somewhere is not called back.
    this.focusNext = '';
  }

  @Listen('keydown', { capture: true })
  protected handleKey(event: KeyboardEvent): void {
    this.focusNext = '';
    if (event.key === 'Tab' && !event.shiftKey && this.editing.keepsTab(event)) {
      // The browser goes on to the next control, then.
      event.stopPropagation();
    } else if (this.editing.search.press(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    } else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      // Before the editor sees it, for which it is a line break.
      event.preventDefault();
      event.stopPropagation();
      void this.send();
    }
  }

  @Listen('beforeinput', { capture: true })
  protected handleInput(): void {
    this.writing?.typing();
  }

  @Listen('paste', { capture: true })
  protected handlePaste(event: ClipboardEvent): void {
    this.editing.pasted(event);
  }

  @Listen('keydown')
  protected handleEscape(event: KeyboardEvent): void {
    if (event.key !== 'Escape' || event.defaultPrevented) {
      return;
    }
    const menus = Array.from(this.host.shadowRoot?.querySelectorAll('limel-menu') ?? []);
    const menu = menus.find((each) => each.open);
    if (menu) {
      // It has just been opened, and the focus is still outside of it.
      menu.open = false;
    } else if (this.scheduling) {
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
    this.writing?.uploads.retryAll();
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
    const { texts, offers, editing } = this;
    const busy = writing.phase === 'sending';
    const label = texts.get(writing.isReply ? 'composer.reply' : 'composer.new');
    return (
      <section
        class={{ composer: true, dropping: this.files.isDropping }}
        aria-label={label}
        aria-busy={busy ? 'true' : undefined}
        onDragOver={(event) => this.files.dragged(event)}
        onDragLeave={(event) => this.files.draggedOut(event)}
        onDrop={(event) => this.files.dropped(event)}
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
          ref={(element) => (this.recipients = element)}
          platform={this.platform}
          people={writing.people}
          beside={writing.isReply ? { conversation: writing.conversation } : (writing.parent ?? {})}
          error={writing.problems.people}
          disabled={busy}
          onAddPeople={(event) => writing.add(event.detail)}
          onTogglePerson={(event) => writing.toggle(event.detail)}
        />
        <Subject writing={writing} texts={texts} />
        <Text
          writing={writing}
          texts={texts}
          editing={editing}
          offers={offers}
          files={this.files}
        />
        <Signature writing={writing} texts={texts} />
        <lwc-limepkg-email-attachments
          platform={this.platform}
          attached={writing.attached}
          limits={writing.limits}
          pictures={bytesOfPictures(writing.html)}
          progress={busy ? writing.progress : undefined}
          error={writing.problems.files}
          onDetach={(event) => writing.detach(event.detail)}
          onAgain={(event) => writing.uploads.retry(event.detail)}
        />
        {offers.documents && (
          <RecordDocuments writing={writing} texts={texts} documents={offers.documents} />
        )}
        <Doubts
          writing={writing}
          texts={texts}
          locale={this.locale}
          onAnyway={() => void this.send((each) => each.sendAnyway())}
          onRetry={() => void this.send((each) => each.retry())}
        />
        <SendRow
          writing={writing}
          texts={texts}
          locale={this.locale}
          scheduling={this.scheduling}
          onSend={() => void this.send()}
          onSchedule={(scheduling) => this.schedule(scheduling)}
          onTime={(at) => this.sendAt(at)}
        />
      </section>
    );
  }

  private changed(): void {
    this.tick += 1;
  }

  private schedule(scheduling: boolean): void {
    this.scheduling = scheduling;
    this.focusNext = scheduling ? '[name="send-at"]' : '.later-menu button';
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
    await Promise.all([this.editing.settle(), this.recipients?.settle?.()]);
    const before = writing.aftermath.sent;
    await how(writing);
    if (writing.aftermath.sent && writing.aftermath.sent !== before) {
      this.scheduling = false;
      this.offers.hideDocuments();
      this.focusNext = this.hasLeft() ? '' : `${UNDO}, .line, .send`;
    } else if (Object.keys(writing.problems).length) {
      this.focusProblem(writing);
    } else if (writing.arrived.length || writing.error) {
      this.focusNext = '[data-action="look"], [data-action="retry"]';
    }
    this.changed();
  }

  /** Whether the user has gone on to something else on the page meanwhile. */
  private hasLeft(): boolean {
    const { activeElement, body } = this.host.ownerDocument;
    const root = this.host.getRootNode() as Partial<DocumentOrShadowRoot>;
    return Boolean(activeElement && activeElement !== body && root.activeElement !== this.host);
  }

  private focusProblem({ problems }: Writing): void {
    if (problems.account) {
      this.focusNext = '.from select';
    } else if (problems.people) {
      void this.recipients?.focusField();
    } else if (problems.subject) {
      this.focusNext = '[name="subject"]';
    } else if (problems.text) {
      void this.editing.focus();
    } else {
      this.focusNext = problems.files ? '[data-action="attach"]' : '[name="send-at"]';
    }
  }

  private async undo(): Promise<void> {
    this.collapsed = false;
    await this.writing?.undo();
    if (!this.writing?.error) {
      void this.editing.focus();
    }
  }

  private async collapse(): Promise<void> {
    await this.editing.settle();
    this.collapsed = true;
    this.focusNext = '.line';
  }

  private expand(): void {
    this.collapsed = false;
    void this.writing?.refresh();
    void this.editing.focus();
  }
}
