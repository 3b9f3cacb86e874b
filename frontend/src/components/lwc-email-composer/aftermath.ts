/** What can still be done about the message that was sent last: take it back, send it again. */

import { EmailApi } from '../../services/email-api';
import { FeedRecipient } from '../../services/email-api/feed';
import { Submitted, TakenBack } from '../../services/email-api/messages';
import { Attached } from './attached';
import { followFate } from './fate';
import { Person } from './people';

/** What was written, to go on with it. */
export interface Snapshot {
  subject: string;
  html: string;
  people: Person[];
  attached: Attached[];
  account: number;
}

/** A message that is on its way. */
export interface Sent extends Submitted {
  /** The instant (in milliseconds) until which it can be taken back; 0 when it cannot. */
  until: number;
  /** When it will be sent, if that was chosen. */
  at?: Date;
  takingBack: boolean;
  before: Snapshot;
}

export interface AftermathOptions {
  api: EmailApi;
  changed: () => void;
  /** It is certain what became of the mails. */
  settled: (sent: Submitted) => void;
  now: () => number;
}

const SECOND = 1000;

export class Aftermath {
  sent?: Sent;

  /** Mails that did not arrive. */
  failed: FeedRecipient[] = [];

  private clock?: ReturnType<typeof setInterval>;
  private stopFate?: () => void;

  constructor(private readonly options: AftermathOptions) {}

  /** Seconds in which the message can still be taken back. */
  get secondsLeft(): number {
    return Math.max(0, Math.ceil(((this.sent?.until ?? 0) - this.options.now()) / SECOND));
  }

  /** Begin with a message that was just sent, `undo` seconds before it leaves, or at an instant. */
  begin(submitted: Submitted, before: Snapshot, undo: number, at?: Date): void {
    this.close();
    const until = undo && !at ? this.options.now() + undo * SECOND : 0;
    this.sent = { ...submitted, until, at, takingBack: false, before };
    this.failed = [];
    if (at) {
      return;
    }
    this.countDown();
    this.stopFate = followFate({
      feed: this.options.api.feed,
      conversation: submitted.conversation,
      message: submitted.conversationmessage,
      after: undo * SECOND,
      told: ({ failed, settled }) => {
        this.failed = failed;
        this.options.changed();
        if (settled) {
          this.options.settled(submitted);
        }
      },
    });
  }

  /** Keep the message from leaving; gives what was taken back. Throws if it has left. */
  async takeBack(): Promise<TakenBack | undefined> {
    const { sent } = this;
    if (!sent || sent.takingBack) {
      return undefined;
    }
    sent.takingBack = true;
    this.options.changed();
    try {
      const taken = await this.options.api.messages.cancel(sent.conversationmessage);
      this.dismiss();
      return taken;
    } finally {
      sent.takingBack = false;
    }
  }

  /** Send the mails again that did not arrive. */
  async resend(): Promise<void> {
    const { failed } = this;
    this.failed = [];
    for (const [index, each] of failed.entries()) {
      try {
        await this.options.api.messages.resend(each.id);
      } catch (error) {
        this.failed = failed.slice(index);
        throw error;
      }
    }
  }

  /** Say no more about it. */
  dismiss(): void {
    this.close();
    this.sent = undefined;
    this.failed = [];
    this.options.changed();
  }

  /** Stop watching. */
  close(): void {
    clearInterval(this.clock);
    this.stopFate?.();
  }

  private countDown(): void {
    const { sent } = this;
    const turns = sent?.until ? 0 : 6;
    let turn = 0;
    this.clock = setInterval(() => {
      turn += 1;
      // Where nothing can be taken back it is only said for a while that it was sent.
      if (this.secondsLeft === 0 && turn >= turns && !sent?.takingBack) {
        clearInterval(this.clock);
        this.sent = undefined;
      }
      this.options.changed();
    }, SECOND);
  }
}
