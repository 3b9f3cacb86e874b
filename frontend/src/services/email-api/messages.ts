/** Messages: sending, sending again, keeping from leaving, taking elsewhere. */

import { Client, SendOptions } from './client';

/** An object that conversations hang on. */
export interface ParentReference {
  limetype: string;
  id: number;
}

/** Somebody who is to get a message; `limetype` and `id` when they are known to the CRM. */
export interface Recipient {
  email: string;
  name?: string;
  limetype?: string;
  id?: number | null;
}

export interface Message {
  subject?: string;
  html?: string;
  text?: string;
  recipients?: Recipient[];
  /** Ids of documents whose files go along. */
  documents?: number[];
  /** Ids of files of the user's draft, which the message takes over. */
  draft_files?: number[];
  /** An instant with a time zone at which it is to be sent. */
  send_at?: string | null;
  /** Leave some seconds in which it can be cancelled. */
  undo?: boolean;
  /** Put the user's signature, or else the account's, below the text; true if left out. */
  signature?: boolean;
}

/** The first message of a conversation; a new object is made when there is no parent. */
export interface FirstMessage extends Message {
  account: number;
  parent?: ParentReference | null;
}

export interface Reply extends Message {
  conversation: number;
  /** Which followers get it; all active ones if left out. */
  followers?: number[] | null;
  /** The newest message seen; if others came since, nothing is sent (409, `arrived`). */
  newest_message?: number | null;
  anyway?: boolean;
  /** The version of the draft that this was; it is removed. */
  draft?: number | null;
}

export interface Forward {
  account?: number | null;
  recipients: Recipient[];
  subject?: string;
  html?: string;
  /** The recipients join the conversation instead of beginning a new one. */
  follow?: boolean;
  signature?: boolean;
}

/** A message that is on its way. */
export interface Submitted {
  conversation: number;
  conversationmessage: number;
  messagefollowers: number[];
  repeated: boolean;
}

/** A message that came after the newest one seen: `EmailError.details.arrived` lists them. */
export interface Arrived {
  id: number;
  author: string;
  preview: string;
  date: string;
}

export interface Resent {
  conversationmessage: number;
  messagefollower: number;
  repeated: boolean;
}

/** What was kept from leaving, and the content to write on. */
export interface TakenBack {
  conversation: number;
  cancelled: number[];
  left: number[];
  subject: string;
  html: string;
  documents: number[];
}

export interface Relocated {
  source: number;
  conversation: number;
  messages: number[];
}

/** A document of a message; `url` leads to its page in the CRM. */
export interface MessageDocument {
  id: number;
  filename: string;
  content_type: string;
  size: number;
  url: string;
}

export interface MessagesApi {
  /** Begin a conversation. */
  begin(message: FirstMessage, options?: SendOptions): Promise<Submitted>;
  /** Send a message in a conversation. */
  reply(account: number, message: Reply, options?: SendOptions): Promise<Submitted>;
  forward(message: number, forward: Forward, options?: SendOptions): Promise<Submitted>;
  /** Send one mail again; one that was sent only with `sent`. */
  resend(messageFollower: number, sent?: boolean, options?: SendOptions): Promise<Resent>;
  cancelMail(messageFollower: number): Promise<{ messagefollower: number }>;
  cancel(message: number): Promise<TakenBack>;
  /** The documents of up to 500 messages. */
  documents(messages: number[]): Promise<{ message: number; documents: MessageDocument[] }[]>;
  /** Let pages read the state of a message anew. */
  forceReload(message: number): Promise<{ message: number; date: string }>;
  move(message: number, conversation: number): Promise<Relocated>;
  split(
    message: number,
    into: { messages?: number[]; parent?: ParentReference | null; subject?: string },
  ): Promise<Relocated>;
}

export function messages(client: Client): MessagesApi {
  return {
    begin: (message, options) => client.post('conversation/', message, options),
    reply: (account, message, options) => client.post(`message/${account}/`, message, options),
    forward: (message, forward, options) =>
      client.post(`message/${message}/forward/`, forward, options),
    resend: (messageFollower, sent = false, options) =>
      client.post(`message-follower/${messageFollower}/resend/`, { sent }, options),
    cancelMail: (messageFollower) => client.post(`message-follower/${messageFollower}/cancel/`),
    cancel: (message) => client.post(`message/${message}/cancel/`),
    documents: (ids) => client.get('messages/documents', { ids }),
    forceReload: (message) => client.post(`force-reload-message/${message}/`),
    move: (message, conversation) => client.post(`message/${message}/move/`, { conversation }),
    split: (message, into) => client.post(`message/${message}/split/`, into),
  };
}
