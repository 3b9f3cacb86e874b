/** What has been read and what has not. */

import { Client } from './client';

/** Objects that one request may ask about. */
export const MOST_OBJECTS = 500;

/** An object and how many of its conversations have unread messages. */
export interface UnreadObject {
  id: number;
  conversations: number;
}

export interface ReadingApi {
  /** Tell which of at most `MOST_OBJECTS` objects have something unread; the others are left out. */
  unread(limetype: string, ids: readonly number[]): Promise<{ unread: UnreadObject[] }>;
  /** Mark all messages of a conversation, or some of them, as read or unread. */
  mark(
    conversation: number,
    read: boolean,
    messages?: number[] | null,
  ): Promise<{ unread: boolean }>;
}

export function reading(client: Client): ReadingApi {
  return {
    unread: (limetype, ids) => client.get('unread/', { limetype, ids }),
    mark: (conversation, read, messages = null) =>
      client.post('read/', { conversation, read, messages }),
  };
}
