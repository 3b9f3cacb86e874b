/** Messages that are still being written. */

import { Client, SendOptions } from './client';
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

/** A file that was attached to a draft. */
export interface DraftFile {
  id: number;
  filename: string;
  content_type: string;
  size: number;
}

/** A draft as it is stored; version 0 when there is none. */
export interface Draft {
  conversation: number;
  version: number;
  newest_message: number;
  content: DraftContent;
  /** Files besides the documents of the content. */
  uploads?: DraftFile[];
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
  /** Keep a file with a draft until it is sent or discarded. */
  attach(conversation: number, file: File, options?: SendOptions): Promise<DraftFile>;
  detach(file: number): Promise<void>;
}

export function drafts(client: Client): DraftsApi {
  return {
    read: (conversation) => client.get('draft/', { conversation }),
    save: (conversation, version, content, newestMessage = null) =>
      client.put('draft/', { conversation, version, content, newest_message: newestMessage }),
    discard: (conversation) => client.delete('draft/', {}, { conversation }),
    attach: (conversation, file, options) =>
      client.post('draft/file/', { conversation }, { ...options, files: [file] }),
    detach: (file) => client.delete(`draft/file/${file}/`),
  };
}
