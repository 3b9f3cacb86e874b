/** What belongs to conversations and who follows them. */

import { Client } from './client';

/** A follower; who is not active gets no messages until they are asked in again. */
export interface OpenFollower {
  id: number;
  name: string;
  email: string;
  active: boolean;
}

/** A conversation as it is when somebody begins to write in it, and what a message may have. */
export interface Opening {
  conversation: number;
  subject: string;
  /** The account that it came in on; null if that is gone. */
  account: number | null;
  newest_message: number;
  followers: OpenFollower[];
  /** To these nothing can be sent. */
  own_addresses: string[];
  /** The user's own; empty if the account's serves. */
  signature: string;
  undo_seconds: number;
  limits: { file_size: number; files_together: number; files: number; recipients: number };
}

/** Somebody to write to; `follower` is 0 for who does not follow the conversation. */
export interface FoundPerson {
  email: string;
  name: string;
  follower: number;
  limetype: string;
  id: number | null;
}

/** Whose people: words in name or address, and beside whom. */
export interface PeopleQuery {
  q?: string;
  conversation?: number;
  /** What a new conversation is to hang on. */
  limetype?: string;
  id?: number;
  limit?: number;
}

export interface ConversationsApi {
  /** Give what people who write have to know; conversation 0 stands for a new one. */
  open(conversation: number): Promise<Opening>;
  /** Find people to write to, those of the conversation or of the object first. */
  people(query: PeopleQuery): Promise<{ items: FoundPerson[] }>;
  /** Merge another conversation into this one; the other is deleted. */
  merge(into: number, other: number): Promise<{ conversation: number }>;
  follow(
    conversation: number,
    email: string,
    name?: string,
  ): Promise<{ id: number; active: boolean }>;
  setActive(follower: number, active: boolean): Promise<{ id: number; active: boolean }>;
}

export function conversations(client: Client): ConversationsApi {
  return {
    open: (conversation) => client.get('composer/', { conversation }),
    people: (query) => client.get('recipients/', { ...query }),
    merge: (into, other) => client.post(`conversation/${into}/merge/`, { conversation: other }),
    follow: (conversation, email, name = '') =>
      client.post('follower/', { conversation, email, name }),
    setActive: (follower, active) => client.put(`follower/${follower}/`, { active }),
  };
}
