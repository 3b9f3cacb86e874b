/** A message that is being written: what it says, to whom it goes and what becomes of it. */

import { Platform } from '../../platform';
import { emailApi, EmailApi } from '../../services/email-api';
import { SendingAccount } from '../../services/email-api/accounts';
import { Opening } from '../../services/email-api/conversations';
import { Draft } from '../../services/email-api/drafts';
import {
  Arrived,
  MessageDocument,
  ParentReference,
  Recipient,
  Submitted,
} from '../../services/email-api/messages';
import { Rendered } from '../../services/email-api/templates';
import { EmailError } from '../../services/email-error';
import { announceChange } from '../../services/unread';
import { Texts } from '../../translate';
import { Address } from '../../ui/addresses';
import { confirmAction } from '../../ui/confirm';
import { DEFAULT_LIMITS, FileLimits } from '../../ui/files';
import { Aftermath } from './aftermath';
import { attachDocument, Attached, attachFiles, detach, filesOf, fromDraft } from './attached';
import { applyDraft, belongsHere, contentOf, discardDraft, nameDocuments } from './draft';
import { DraftSaver } from './draft-saver';
import { SendOptions } from './hand-in';
import { documentsAt, filledTemplate } from './materials';
import { addPeople, fromFollowers, Person, toggle } from './people';
import { Place } from './place';
import { Problems } from './problems';
import { Sending } from './sending';
import { takeBack } from './taking-back';
import { Uploads } from './uploads';
import { isEmpty, replySubject } from './wording';

export type Phase = 'loading' | 'unavailable' | 'ready' | 'sending';

export interface WritingOptions {
  platform: Platform;
  place: Place;
  texts: Texts;
  /** Something that is shown is different now. */
  changed: () => void;
  /** The text is another one than the editor has. */
  replaceText: (html: string) => void;
  sent: (submitted: Submitted) => void;
  /** The author wants to read this message first. */
  look?: (message: number) => void;
  now?: () => number;
}

export class Writing {
  phase: Phase = 'loading';
  accounts: SendingAccount[] = [];
  account = 0;
  people: Person[] = [];
  subject = '';
  html = '';
  attached: Attached[] = [];
  opening?: Opening;
  saver: DraftSaver;

  /** Why the last attempt failed; with `retryable` the same can be tried again. */
  error?: EmailError;
  problems: Problems = {};

  /** Messages that came while this one was written. */
  arrived: Arrived[] = [];

  /** What the author should know of the recipients: sentences. */
  notes: string[] = [];

  /** A draft of a new conversation on another object. */
  elsewhere?: Draft;

  /** The share of a form that has been sent, 0 to 1. */
  progress = 0;

  /** Whether the text was begun earlier and restored. */
  restored = false;

  place: Place;

  /** The newest message that the author has seen. */
  newest = 0;

  /** The message that was sent last. */
  readonly aftermath: Aftermath;

  private readonly api: EmailApi;
  /** Brings attached files to the server. */
  readonly uploads: Uploads;

  private hasBegun = false;
  private refreshing = false;
  private readonly sending: Sending;

  constructor(private readonly options: WritingOptions) {
    this.api = emailApi(options.platform);
    this.place = options.place;
    this.saver = this.makeSaver();
    this.uploads = new Uploads(this, { ...options, api: this.api });
    this.sending = new Sending(this, this.api, options);
    this.aftermath = new Aftermath({
      api: this.api,
      changed: options.changed,
      settled: ({ conversation }) => announceChange(options.platform, { conversation }),
      now: options.now ?? (() => Date.now()),
    });
  }

  get isReply(): boolean {
    return this.place.conversation > 0;
  }

  get conversation(): number {
    return this.place.conversation;
  }

  get parent(): ParentReference | undefined {
    return this.place.parent;
  }

  get limits(): FileLimits {
    const given = this.opening?.limits;
    return given
      ? { each: given.file_size, together: given.files_together, count: given.files }
      : DEFAULT_LIMITS;
  }

  get signature(): string {
    const account = this.accounts.find((each) => each.id === this.account);
    return this.opening?.signature || account?.signature || '';
  }

  /** Whether leaving the page would lose something. */
  get wouldLose(): boolean {
    const files = filesOf(this.attached).length > 0;
    return this.phase === 'sending' || this.saver.isUnsaved || files;
  }

  get isBlank(): boolean {
    return isEmpty(this.html) && !this.attached.length;
  }

  async load(): Promise<void> {
    this.phase = 'loading';
    this.error = undefined;
    this.options.changed();
    const { conversation } = this.place;
    try {
      const [opening, draft, accounts] = await Promise.all([
        this.api.conversations.open(conversation),
        this.api.drafts.read(conversation),
        this.api.accounts.own(),
      ]);
      this.accounts = accounts.items;
      this.begin(opening);
      this.restore(draft);
      this.phase = 'ready';
    } catch (error) {
      this.error = error as EmailError;
      this.phase = 'unavailable';
    }
    this.options.changed();
  }

  /** End everything that goes on; what waits to be stored is stored. */
  close(): void {
    this.aftermath.close();
    void this.saver.flush().then(() => this.saver.close());
  }

  setText(html: string): void {
    if (html !== this.html && !(isEmpty(html) && isEmpty(this.html))) {
      this.html = html;
      this.edited('text');
    }
  }

  setSubject(subject: string): void {
    if (subject !== this.subject) {
      this.subject = subject;
      this.edited('subject');
    }
  }

  setAccount(account: number): void {
    if (account !== this.account) {
      this.account = account;
      this.edited('account');
    }
  }

  add(people: readonly (Address | Recipient)[]): void {
    this.people = addPeople(this.people, people, this.opening?.own_addresses ?? []);
    this.edited('people');
  }

  toggle(email: string): void {
    this.people = toggle(this.people, email);
    this.edited('people');
  }

  attach(files: readonly File[]): void {
    this.attached = attachFiles(this.attached, files, this.limits, this.options.texts);
    this.uploads.start();
    this.edited('files');
  }

  attachDocument(document: Pick<MessageDocument, 'id' | 'filename' | 'size'>): void {
    this.attached = attachDocument(this.attached, document, this.limits, this.options.texts);
    this.edited('files');
  }

  detach(key: string): void {
    const gone = this.attached.filter((each) => each.key === key);
    this.attached = detach(this.attached, key);
    gone.forEach((each) => this.uploads.forget(each));
    this.edited('files');
  }

  /** Give the documents of the record that the message is about. */
  documents(): Promise<MessageDocument[]> {
    return documentsAt(this.api, this.place);
  }

  /** Fill a template for this message; the subject of a new one is set if it has none. */
  async fill(template: number): Promise<Rendered> {
    const { place, account, people } = this;
    const rendered = await filledTemplate(this.api, template, { place, account, people });
    if (!this.isReply && !this.subject.trim() && rendered.subject) {
      this.setSubject(rendered.subject);
    }
    return rendered;
  }

  /** Hand the message in; nothing is lost if that fails. */
  send(how?: SendOptions): Promise<void> {
    return this.sending.send(how);
  }

  /** Try the same once more. */
  retry(): Promise<void> {
    return this.sending.retry();
  }

  /** Send although there are messages that the author has not seen. */
  sendAnyway(): Promise<void> {
    return this.sending.sendAnyway();
  }

  /** The author wants to read what came first. */
  lookFirst(): void {
    const came = this.arrived.map((each) => each.id);
    this.saw(Math.max(...came));
    this.arrived = [];
    announceChange(this.options.platform, { conversation: this.conversation });
    this.saver.touch();
    this.options.changed();
    this.options.look?.(Math.min(...came));
  }

  /** The author has seen the messages up to this one. */
  saw(message: number): void {
    this.newest = Math.max(this.newest, message);
  }

  /**
   * A key was pressed. The editor tells of a changed text only a while later, when there may be
   * messages already that the author has not seen.
   */
  typing(): void {
    if (!this.hasBegun) {
      this.hasBegun = true;
      void this.refresh();
    }
  }

  /**
   * The author begins to write now: what came since the page was opened stands above, and whoever
   * joined meanwhile gets the message too.
   */
  async refresh(): Promise<void> {
    const { opening, place } = this;
    const isFresh = this.isReply && this.isBlank && this.phase === 'ready' && !this.restored;
    if (!opening || !isFresh || this.refreshing) {
      return;
    }
    this.refreshing = true;
    try {
      const now = await this.api.conversations.open(place.conversation);
      if (this.place === place) {
        this.saw(now.newest_message);
        this.opening = now;
        if (same(this.people, fromFollowers(opening.followers))) {
          this.people = fromFollowers(now.followers);
        }
        this.options.changed();
      }
    } catch {
      // It stays as it was when the page was opened; sending asks again.
    } finally {
      this.refreshing = false;
    }
  }

  /** Keep the message that was just sent from leaving, and go on writing it. */
  undo(): Promise<void> {
    return this.attempt(() => takeBack(this, this.api, this.options));
  }

  /** Send the mails again that did not arrive. */
  resend(): Promise<void> {
    return this.attempt(async () => {
      await this.aftermath.resend();
      announceChange(this.options.platform, { conversation: this.conversation });
    });
  }

  /** Throw away what was written, here and on the server. */
  async discard(): Promise<void> {
    const { texts, platform } = this.options;
    const agreed = await confirmAction(platform, {
      title: texts.get('composer.discard_title'),
      message: texts.get('composer.discard_message'),
      action: texts.get('composer.discard'),
    });
    if (agreed) {
      await this.attempt(() => discardDraft(this, this.api));
    }
  }

  /** Go on with the draft of another window, or of another object. */
  takeOver(draft: Draft | undefined): void {
    this.elsewhere = undefined;
    this.clear();
    if (draft) {
      this.apply(draft);
    }
    this.options.changed();
  }

  /** Go on with the draft of another object; what was written here meanwhile is put below it. */
  continueElsewhere(): void {
    const { elsewhere, html, people, attached } = this;
    this.takeOver(elsewhere);
    const known = new Set(this.attached.map((each) => each.key));
    const added = attached.filter((each) => !known.has(each.key));
    if (!isEmpty(html) || people.length || added.length) {
      this.people = addPeople(this.people, people, this.opening?.own_addresses ?? []);
      this.attached = [...this.attached, ...added];
      this.write(this.html + (isEmpty(html) ? '' : html));
      this.edited('text');
      this.uploads.start();
    }
  }

  /** Begin anew here: the draft on another object is written over. */
  overwriteElsewhere(): void {
    const { version = 0, uploads = [] } = this.elsewhere ?? {};
    uploads.map(fromDraft).forEach((each) => this.uploads.forget(each));
    this.elsewhere = undefined;
    this.saver.release(version);
    this.uploads.start();
    this.options.changed();
  }

  /** Go on in another place, with a draft of its own. */
  moveTo(place: Place): void {
    this.place = place;
    this.saver.close();
    this.saver = this.makeSaver();
  }

  private makeSaver(): DraftSaver {
    return new DraftSaver({
      drafts: this.api.drafts,
      conversation: this.place.conversation,
      content: () => contentOf(this),
      newest: () => (this.isReply ? this.newest : null),
      changed: this.options.changed,
    });
  }

  /** Begin with what the server proposes. */
  begin(opening: Opening): void {
    this.opening = opening;
    this.newest = opening.newest_message;
    this.people = fromFollowers(opening.followers);
    this.subject = this.isReply ? replySubject(opening.subject) : '';
    const own = this.accounts.map((each) => each.id);
    const proposed = opening.account ?? 0;
    this.account = own.includes(proposed) ? proposed : (own[0] ?? 0);
  }

  private restore(draft: Draft): void {
    if (!draft.version) {
      this.attached = (draft.uploads ?? []).map(fromDraft);
      return;
    }
    if (belongsHere(draft, this)) {
      this.apply(draft);
      this.restored = true;
    } else {
      this.elsewhere = draft;
      this.saver.hold();
    }
  }

  private apply(draft: Draft): void {
    applyDraft(this, draft, this.options.texts);
    void nameDocuments(this).then(() => this.options.changed());
  }

  /** Do something that may fail, and show what came of it. */
  private async attempt(action: () => Promise<void>): Promise<void> {
    this.error = undefined;
    try {
      await action();
    } catch (error) {
      this.error = error as EmailError;
    }
    this.options.changed();
  }

  private edited(part: keyof Problems): void {
    delete this.problems[part];
    this.saver.touch();
    this.options.changed();
  }

  /** Begin anew: what was written is sent or thrown away. */
  clear(): void {
    this.saver.reset();
    this.hasBegun = false;
    this.attached = [];
    this.notes = [];
    this.problems = {};
    this.restored = false;
    this.error = undefined;
    if (this.opening) {
      const { newest, account } = this;
      this.begin(this.opening);
      this.newest = newest;
      this.account = account;
    }
    this.write('');
  }

  /** Put another text into the editor. */
  write(html: string): void {
    this.html = html;
    this.options.replaceText(html);
  }
}

function same(people: readonly Person[], others: readonly Person[]): boolean {
  return JSON.stringify(people) === JSON.stringify(others);
}
