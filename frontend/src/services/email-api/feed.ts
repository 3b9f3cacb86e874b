/** Messages as items of an activity feed. */

import { Client, Page, Paging } from './client';

export type FeedStyle = 'minimal' | 'standard' | 'emphasized' | 'thread-message' | 'error-message';

export interface FeedAction {
  id: string;
  text: string;
  icon: string;
}

export interface FeedRecipient {
  /** The message follower. */
  id: number;
  name: string;
  email: string;
  role: string;
  state: string;
  reason: string;
}

/** One message; all texts are plain text by strangers. The mail itself is at `bodyUrl`. */
export interface FeedItem {
  id: number;
  timestamp: string;
  author: { id: string; name: string; href: string; picture: string };
  heading: string;
  value: string;
  icon: string;
  color: string;
  relations: { id: string; text: string; icon: string; image: string; href: string }[];
  promotedActions: (FeedAction | { separator: true })[];
  unpromotedActions: (FeedAction | { separator: true })[];
  ui: FeedStyle;
  helperText: string;
  hasError: boolean;
  thumbnails: { filename: string; image: string; href: string }[];
  hasDefaultTableStyles: boolean;
  unread: boolean;
  bodyUrl: string;
  conversation: number;
  machine: string;
  recipients: FeedRecipient[];
}

export interface FeedApi {
  /** Give the messages of an object: a conversation, a parent or a person. */
  read(
    limetype: string,
    id: number,
    paging?: Paging & { ascending?: boolean },
  ): Promise<Page<FeedItem>>;
}

export function feed(client: Client): FeedApi {
  return { read: (limetype, id, paging) => client.get('feed/', { limetype, id, ...paging }) };
}
