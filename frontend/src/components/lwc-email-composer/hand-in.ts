/** Hands a message in: as an answer, or as the first one of a conversation. */

import { EmailApi } from '../../services/email-api';
import { Message, Submitted } from '../../services/email-api/messages';
import { Attached, documentsOf, filesOf, uploadsOf } from './attached';
import { Attempt } from './attempt';
import { Person, targetOf } from './people';
import { Place } from './place';

export interface SendOptions {
  /** When it is to be sent; at once without it. */
  at?: Date;
  /** Although there are messages that the author has not seen. */
  anyway?: boolean;
}

/** What a message says. */
export interface Written {
  subject: string;
  html: string;
  people: readonly Person[];
  attached: readonly Attached[];
}

export interface HandIn {
  attempt: Attempt;
  place: Place;
  account: number;
  /** The newest message that the author has seen. */
  newest: number;
  /** The version of the draft that this is; null when there is none. */
  draft: number | null;
  sending: SendOptions;
  progress: (share: number) => void;
}

/** Hand a message in; the same once more is sent no second time. */
export function handIn(api: EmailApi, written: Written, how: HandIn): Promise<Submitted> {
  const { attempt, place, account, newest, draft, sending, progress } = how;
  const { conversation, parent } = place;
  const { followers, recipients } = targetOf(written.people);
  const files = filesOf(written.attached);
  const message: Message = {
    subject: written.subject,
    html: written.html,
    recipients,
    documents: documentsOf(written.attached),
    draft_files: uploadsOf(written.attached),
    ...(sending.at ? { send_at: sending.at.toISOString() } : { undo: true }),
  };
  const target = conversation ? { conversation, followers } : { parent: parent ?? null };
  const idempotencyKey = attempt.keyFor({ message, target, account }, files);
  const options = { idempotencyKey, files, onProgress: progress };
  if (!conversation) {
    return api.messages.begin({ ...message, account, parent: parent ?? null }, options);
  }
  const anyway = Boolean(sending.anyway);
  const reply = { ...message, conversation, followers, newest_message: newest, anyway, draft };
  return api.messages.reply(account, reply, options);
}
