/** Hands a message in: asks about slips, looks who came or left, and tells what went wrong. */

import { EmailApi } from '../../services/email-api';
import { Arrived, Submitted } from '../../services/email-api/messages';
import { EmailError } from '../../services/email-error';
import { announceChange } from '../../services/unread';
import { confirmAction } from '../../ui/confirm';
import { Attempt } from './attempt';
import { check, doubts } from './checks';
import { handIn, SendOptions } from './hand-in';
import { followChanges, fromFollowers, nameOf } from './people';
import { problemsOf } from './problems';
import type { Writing, WritingOptions } from './writing';

export class Sending {
  private readonly attempt = new Attempt();
  private asking = false;
  private last: SendOptions = {};

  constructor(
    private readonly writing: Writing,
    private readonly api: EmailApi,
    private readonly options: WritingOptions,
  ) {}

  /** Hand the message in; nothing is lost if that fails. */
  async send(how: SendOptions = {}): Promise<void> {
    const { writing } = this;
    if (writing.phase !== 'ready' || this.asking) {
      return;
    }
    this.last = how;
    writing.error = undefined;
    writing.arrived = [];
    writing.problems = check(writing, writing.opening?.limits.recipients ?? 0, this.options.texts);
    // Held until the phase says so: a second press must not get in between.
    this.asking = true;
    const agreed = !Object.keys(writing.problems).length && (await this.confirmed());
    this.asking = false;
    if (agreed) {
      await this.handOver(how);
    }
    this.options.changed();
  }

  /** Try the same once more. */
  retry(): Promise<void> {
    return this.send(this.last);
  }

  /** Send although there are messages that the author has not seen. */
  sendAnyway(): Promise<void> {
    return this.send({ ...this.last, anyway: true });
  }

  private async handOver(how: SendOptions): Promise<void> {
    const { writing } = this;
    writing.phase = 'sending';
    this.progressed(0);
    try {
      if (!(await this.recipientsChanged())) {
        await writing.uploads.settle();
        await writing.saver.flush();
        this.done(await this.submit(how), how);
      }
    } catch (error) {
      await this.refused(error as EmailError);
    }
    writing.phase = 'ready';
  }

  /** Ask about what may be a slip. */
  private async confirmed(): Promise<boolean> {
    const { texts, platform } = this.options;
    const found = doubts(this.writing, texts);
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
    const { writing } = this;
    if (!writing.isReply) {
      return false;
    }
    const { texts } = this.options;
    const opening = await this.api.conversations.open(writing.conversation);
    const { people, joined, left } = followChanges(writing.people, opening.followers);
    writing.people = people;
    writing.notes = [
      ...joined.map((each) => texts.get('composer.joined', { name: nameOf(each) })),
      ...left.map((each) => texts.get('composer.gone', { name: nameOf(each) })),
    ];
    return writing.notes.length > 0;
  }

  private submit(sending: SendOptions): Promise<Submitted> {
    const { place, account, newest, saver } = this.writing;
    return handIn(this.api, this.writing, {
      attempt: this.attempt,
      place,
      account,
      newest,
      draft: saver.version || null,
      sending,
      progress: (share) => this.progressed(share),
    });
  }

  private progressed(share: number): void {
    this.writing.progress = share;
    this.options.changed();
  }

  private done(submitted: Submitted, { at }: SendOptions): void {
    const { writing } = this;
    const { subject, html, people, attached, account } = writing;
    const before = { subject, html, people, attached, account };
    this.attempt.settle();
    writing.aftermath.begin(submitted, before, writing.opening?.undo_seconds ?? 0, at);
    if (!writing.isReply && writing.saver.version) {
      // What is left behind would be proposed again.
      void this.api.drafts.discard(0).catch(() => undefined);
    }
    writing.newest = Math.max(writing.newest, submitted.conversationmessage);
    writing.clear();
    void this.refreshFollowers();
    this.options.sent(submitted);
    announceChange(this.options.platform, { conversation: submitted.conversation });
  }

  /** Who was written to follows from now on. */
  private async refreshFollowers(): Promise<void> {
    const { writing } = this;
    try {
      const opening = await this.api.conversations.open(writing.conversation);
      if (writing.isBlank && !writing.saver.isUnsaved) {
        writing.opening = opening;
        writing.people = fromFollowers(opening.followers);
        this.options.changed();
      }
    } catch {
      // Before the next message they are looked at again.
    }
  }

  private async refused(error: EmailError): Promise<void> {
    const { writing } = this;
    if (error.status === 409 && Array.isArray(error.details.arrived)) {
      writing.arrived = error.details.arrived as Arrived[];
      return;
    }
    if (error.errors?.draft_files) {
      // Taken away in another window, or with a draft that was: what is here goes up again.
      await writing.uploads.again().catch(() => undefined);
    }
    writing.error = error;
    writing.problems = problemsOf(error).parts;
  }
}
