/** Messages that are still being written. */

import { Client } from './client';
import { ParentReference, Recipient } from './messages';

export interface DraftContent {
  subject: string;
  html: string;
  recipients: Recipient[];
  /** Which followers are to get it; all active ones if null. */
  followers: number[] | null;
  /** Ids of documents. */
  files: number[];
  /** The account to send from; null if none was chosen. */
  account?: number | null;
  /** What a new conversation is to hang on. */
  parent?: ParentReference | null;
}

/** A draft as it is stored; version 0 when there is none. */
export interface Draft {
  conversation: number;
  version: number;
  newest_message: number;
  content: DraftContent;
  changed_at: string | null;
}

/** Conversation 0 stands for a new one. */
export interface DraftsApi {
  read(conversation: number): Promise<Draft>;
  /** Store over the version that was read; 409 carries the other window's in `details.newer`. */
  save(
    conversation: number,
    version: number,
    content: Partial<DraftContent>,
    newestMessage?: number | null,
  ): Promise<Draft>;
  discard(conversation: number): Promise<void>;
}

export function drafts(client: Client): DraftsApi {
  return {
    read: (conversation) => client.get('draft/', { conversation }),
    save: (conversation, version, content, newestMessage = null) =>
      client.put('draft/', { conversation, version, content, newest_message: newestMessage }),
    discard: (conversation) => client.delete('draft/', {}, { conversation }),
  };
}
