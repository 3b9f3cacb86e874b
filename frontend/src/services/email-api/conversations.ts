/** What belongs to conversations and who follows them. */

import { Client } from './client';

export interface ConversationsApi {
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
    merge: (into, other) => client.post(`conversation/${into}/merge/`, { conversation: other }),
    follow: (conversation, email, name = '') =>
      client.post('follower/', { conversation, email, name }),
    setActive: (follower, active) => client.put(`follower/${follower}/`, { active }),
  };
}
