/** Follows a message for a while after it was sent, so that a failure is told where it was written. */

import { FeedApi, FeedRecipient } from '../../services/email-api/feed';

export interface Fate {
  failed: FeedRecipient[];
  /** Nothing more is going to happen. */
  settled: boolean;
}

const PAUSES = [2_000, 3_000, 5_000, 10_000, 20_000, 30_000];
const LATEST = 10;
const WAITING = ['scheduled', 'queued', 'delayed'];

export interface FateOptions {
  feed: FeedApi;
  conversation: number;
  message: number;
  told: (fate: Fate) => void;
  /** Milliseconds before it leaves. */
  after?: number;
  pauses?: readonly number[];
}

/** Tell what became of a message, until it is certain or nobody waits any more; gives its end. */
export function followFate(options: FateOptions): () => void {
  const { feed, conversation, message, told, after = 0, pauses = PAUSES } = options;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const look = async (round: number): Promise<void> => {
    let settled = false;
    try {
      const { items } = await feed.read('conversation', conversation, { limit: LATEST });
      const found = items.find((each) => each.id === message);
      const fate = fateOf(found?.recipients ?? []);
      settled = fate.settled;
      if (!ended) {
        told(fate);
      }
    } catch {
      // It is only a courtesy: the feed tells it as well.
    }
    if (!settled && !ended) {
      wait(round + 1);
    }
  };
  const wait = (round: number): void => {
    const pause = pauses[round];
    if (pause !== undefined) {
      timer = setTimeout(() => void look(round), pause + (round === 0 ? after : 0));
    }
  };
  wait(0);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** Tell what became of the mails of a message. */
export function fateOf(recipients: readonly FeedRecipient[]): Fate {
  const mails = recipients.filter((each) => each.role !== 'from' && each.state !== 'received');
  return {
    failed: mails.filter((each) => each.state === 'failed' || each.state === 'bounced'),
    settled: mails.length > 0 && mails.every((each) => !WAITING.includes(each.state)),
  };
}
