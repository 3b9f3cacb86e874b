/** A message that is being written: what it says, to whom it goes and what becomes of it. */

import { Platform } from '../../platform';
import { emailApi, EmailApi } from '../../services/email-api';
import { SendingAccount } from '../../services/email-api/accounts';
import { OpenFollower, Opening } from '../../services/email-api/conversations';
import { Draft, DraftContent } from '../../services/email-api/drafts';
import {
  Arrived,
  MessageDocument,
  ParentReference,
  Recipient,
  Submitted,
  TakenBack,
} from '../../services/email-api/messages';
import { Rendered } from '../../services/email-api/templates';
import { EmailError } from '../../services/email-error';
import { announceChange } from '../../services/unread';
import { Texts } from '../../translate';
import { Address } from '../../ui/addresses';
import { confirmAction } from '../../ui/confirm';
import { DEFAULT_LIMITS, FileLimits } from '../../ui/files';
import { Aftermath, Sent } from './aftermath';
import { attachDocument, Attached, attachFiles, detach, documentsOf } from './attached';
import { Attempt } from './attempt';
import { check, doubts } from './checks';
import { DraftSaver } from './draft-saver';
import { documentsAt, filledTemplate, Place } from './materials';
import { handIn, Sending } from './hand-in';
import * as choice from './people';
import { followChanges, fromFollowers, nameOf, Person } from './people';
import { Problems, problemsOf } from './problems';
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

  private readonly api: EmailApi;
  private readonly attempt = new Attempt();
  place: Place;
  private newest = 0;
  private asking = false;
  private lastSending: Sending = {};

  /** The message that was sent last. */
  readonly aftermath: Aftermath;

  constructor(private readonly options: WritingOptions) {
    this.api = emailApi(options.platform);
    this.place = options.place;
    this.saver = this.makeSaver();
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
    const files = this.attached.some((each) => each.file && !each.error);
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
    this.people = choice.addPeople(this.people, people, this.opening?.own_addresses ?? []);
    this.edited('people');
  }

  toggle(email: string): void {
    this.people = choice.toggle(this.people, email);
    this.edited('people');
  }

  attach(files: readonly File[]): void {
    this.attached = attachFiles(this.attached, files, this.limits, this.options.texts);
    this.edited('files');
  }

  attachDocument(document: Pick<MessageDocument, 'id' | 'filename' | 'size'>): void {
    this.attached = attachDocument(this.attached, document, this.limits, this.options.texts);
    this.edited('files');
  }

  detach(key: string): void {
    this.attached = detach(this.attached, key);
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
  async send(sending: Sending = {}): Promise<void> {
    if (this.phase !== 'ready' || this.asking) {
      return;
    }
    this.lastSending = sending;
    this.error = undefined;
    this.arrived = [];
    this.problems = check(this, this.opening?.limits.recipients ?? 0, this.options.texts);
    // Held until the phase says so: a second press must not get in between.
    this.asking = true;
    const agreed = !Object.keys(this.problems).length && (await this.confirmed());
    this.asking = false;
    if (!agreed) {
      this.options.changed();
      return;
    }
    this.phase = 'sending';
    this.progress = 0;
    this.options.changed();
    try {
      if (!(await this.recipientsChanged())) {
        await this.saver.flush();
        this.done(await this.submit(sending), sending);
      }
    } catch (error) {
      this.refused(error as EmailError);
    }
    this.phase = 'ready';
    this.options.changed();
  }

  /** Try the same once more. */
  retry(): Promise<void> {
    return this.send(this.lastSending);
  }

  sendAnyway(): Promise<void> {
    return this.send({ ...this.lastSending, anyway: true });
  }

  /** The author wants to read what came first. */
  lookFirst(): void {
    this.newest = Math.max(this.newest, ...this.arrived.map((each) => each.id));
    this.arrived = [];
    announceChange(this.options.platform, { conversation: this.conversation });
    this.saver.touch();
    this.options.changed();
  }

  /** Keep the message that was just sent from leaving, and go on writing it. */
  async undo(): Promise<void> {
    const { sent } = this.aftermath;
    this.error = undefined;
    try {
      const taken = await this.aftermath.takeBack();
      if (sent && taken) {
        await this.giveBack(sent, taken);
        announceChange(this.options.platform, { conversation: taken.conversation });
      }
    } catch (error) {
      this.error = error as EmailError;
    }
    this.options.changed();
  }

  /** Send the mails again that did not arrive. */
  async resend(): Promise<void> {
    try {
      await this.aftermath.resend();
      announceChange(this.options.platform, { conversation: this.conversation });
    } catch (error) {
      this.error = error as EmailError;
    }
    this.options.changed();
  }

  /** Throw away what was written, here and on the server. */
  async discard(): Promise<void> {
    const { texts, platform } = this.options;
    const agreed = await confirmAction(platform, {
      title: texts.get('composer.discard_title'),
      message: texts.get('composer.discard_message'),
      action: texts.get('composer.discard'),
    });
    if (!agreed) {
      return;
    }
    await this.saver.flush();
    try {
      await this.api.drafts.discard(this.conversation);
    } catch (error) {
      this.error = error as EmailError;
      this.options.changed();
      return;
    }
    this.clear();
    this.options.changed();
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

  /** Begin anew here: the draft on another object is written over. */
  overwriteElsewhere(): void {
    this.saver.version = this.elsewhere?.version ?? 0;
    this.elsewhere = undefined;
    this.options.changed();
  }

  private makeSaver(): DraftSaver {
    return new DraftSaver({
      drafts: this.api.drafts,
      conversation: this.place.conversation,
      content: () => this.content(),
      newest: () => (this.isReply ? this.newest : null),
      changed: this.options.changed,
    });
  }

  private begin(opening: Opening): void {
    this.opening = opening;
    this.newest = opening.newest_message;
    this.people = fromFollowers(opening.followers);
    this.subject = this.isReply ? replySubject(opening.subject) : '';
    const own = this.accounts.map((each) => each.id);
    const proposed = opening.account ?? 0;
    this.account = own.includes(proposed) ? proposed : (own[0] ?? 0);
  }

  private restore(draft: Draft): void {
    const { parent } = draft.content;
    const here = this.place.parent;
    if (!draft.version) {
      return;
    }
    const same = parent?.limetype === here?.limetype && parent?.id === here?.id;
    if (!this.isReply && !same) {
      this.elsewhere = draft;
      return;
    }
    this.apply(draft);
    this.restored = true;
  }

  private apply(draft: Draft): void {
    const { subject, html, recipients, followers, files, account } = draft.content;
    const present = this.opening?.followers ?? [];
    this.saver.takeOver(draft);
    this.newest = draft.newest_message || this.newest;
    this.subject = subject;
    this.people = fromFollowers(present, followers);
    this.people = choice.addPeople(this.people, recipients, this.opening?.own_addresses ?? []);
    this.noteGone(followers ?? [], present);
    if (account && this.accounts.some((each) => each.id === account)) {
      this.account = account;
    }
    this.attached = files.map((id) => ({
      key: `document-${id}`,
      name: this.options.texts.get('composer.document', { id }),
      size: 0,
      document: id,
    }));
    this.write(html);
    if (files.length) {
      void this.nameDocuments();
    }
  }

  /** A draft has the ids of documents alone. */
  private async nameDocuments(): Promise<void> {
    try {
      const known = new Map((await this.documents()).map((each) => [each.id, each]));
      this.attached = this.attached.map((each) => {
        const found = known.get(each.document);
        return found ? { ...each, name: found.filename, size: found.size } : each;
      });
      this.options.changed();
    } catch {
      // They go along without their names being shown.
    }
  }

  private noteGone(chosen: readonly number[], present: readonly OpenFollower[]): void {
    const active = new Set(present.filter((each) => each.active).map((each) => each.id));
    const gone = chosen.filter((each) => !active.has(each));
    if (gone.length) {
      this.notes = [this.options.texts.count('composer.left', gone.length)];
    }
  }

  private content(): DraftContent {
    return {
      subject: this.subject,
      html: this.html,
      ...choice.draftOf(this.people),
      files: documentsOf(this.attached),
      account: this.account || null,
      parent: this.isReply ? null : (this.place.parent ?? null),
    };
  }

  private edited(part: keyof Problems): void {
    delete this.problems[part];
    this.saver.touch();
    this.options.changed();
  }

  /** Ask about what may be a slip. */
  private async confirmed(): Promise<boolean> {
    const { texts, platform } = this.options;
    const found = doubts(this, texts);
    if (!found.length) {
      return true;
    }
    try {
      return await confirmAction(platform, {
        title: texts.get('composer.doubt_title'),
        message: found.join('\n\n'),
        action: texts.get('composer.send_as_is'),
      });
    } catch {
      // A host that cannot ask has not been told yes.
      return false;
    }
  }

  /** Tell the author who came or left since the page was opened, and let them look. */
  private async recipientsChanged(): Promise<boolean> {
    if (!this.isReply) {
      return false;
    }
    const { texts } = this.options;
    const opening = await this.api.conversations.open(this.conversation);
    const { people, joined, left } = followChanges(this.people, opening.followers);
    this.people = people;
    this.notes = [
      ...joined.map((each) => texts.get('composer.joined', { name: nameOf(each) })),
      ...left.map((each) => texts.get('composer.gone', { name: nameOf(each) })),
    ];
    return this.notes.length > 0;
  }

  private submit(sending: Sending): Promise<Submitted> {
    const { attempt, place, account, newest } = this;
    const progress = (share: number): void => this.sending(share);
    const draft = this.saver.version || null;
    return handIn(this.api, this, { attempt, place, account, newest, draft, sending, progress });
  }

  private sending(share: number): void {
    this.progress = share;
    this.options.changed();
  }

  private done(submitted: Submitted, { at }: Sending): void {
    const { subject, html, people, attached, account } = this;
    const before = { subject, html, people, attached, account };
    this.attempt.settle();
    this.aftermath.begin(submitted, before, this.opening?.undo_seconds ?? 0, at);
    if (!this.isReply && this.saver.version) {
      // What is left behind would be proposed again.
      void this.api.drafts.discard(0).catch(() => undefined);
    }
    this.newest = Math.max(this.newest, submitted.conversationmessage);
    this.clear();
    void this.refreshFollowers();
    this.options.sent(submitted);
    announceChange(this.options.platform, { conversation: submitted.conversation });
  }

  /** Who was written to follows from now on. */
  private async refreshFollowers(): Promise<void> {
    try {
      const opening = await this.api.conversations.open(this.conversation);
      if (this.isBlank && !this.saver.isUnsaved) {
        this.opening = opening;
        this.people = fromFollowers(opening.followers);
        this.options.changed();
      }
    } catch {
      // Before the next message they are looked at again.
    }
  }

  private refused(error: EmailError): void {
    if (error.status === 409 && Array.isArray(error.details.arrived)) {
      this.arrived = error.details.arrived as Arrived[];
      return;
    }
    this.error = error;
    this.problems = problemsOf(error).parts;
  }

  private clear(): void {
    this.saver.reset();
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

  private write(html: string): void {
    this.html = html;
    this.options.replaceText(html);
  }

  private async giveBack(sent: Sent, { conversation, left }: TakenBack): Promise<void> {
    const { before } = sent;
    const { texts } = this.options;
    const written = isEmpty(this.html) ? '' : this.html;
    if (!this.isReply) {
      // The conversation was begun: what is sent now belongs into it.
      this.place = { conversation };
      this.saver.close();
      this.saver = this.makeSaver();
    }
    const [opening, found] = await Promise.all([
      this.api.conversations.open(conversation),
      this.api.messages.documents([sent.conversationmessage]),
    ]);
    this.begin(opening);
    const { people } = followChanges(before.people, opening.followers);
    this.people = people.map((each) => ({ ...each, chosen: wasChosen(each, before.people) }));
    this.subject = before.subject;
    this.account = before.account;
    const { limits } = this;
    this.attached = found
      .flatMap((each) => each.documents)
      .reduce<Attached[]>((all, each) => attachDocument(all, each, limits, texts), []);
    this.notes = left.length ? [texts.count('composer.left_already', left.length)] : [];
    this.write(before.html + written);
    this.saver.touch();
  }
}

function wasChosen(person: Person, before: readonly Person[]): boolean {
  const email = person.email.toLowerCase();
  return before.some((each) => each.chosen && each.email.toLowerCase() === email);
}
