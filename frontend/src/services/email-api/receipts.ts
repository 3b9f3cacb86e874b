/** What became of every mail: receipts, traces, and those that could not be imported. */

import { Client, Page, Paging } from './client';

/** A page of a list that is counted only so far; `next` goes on as `before`. */
export interface CountedPage<Item> extends Page<Item> {
  total_is_exact: boolean;
  next: number | null;
}

export interface FailedMessage {
  /** That of its receipt. */
  id: number;
  subject: string;
  sender: string;
  message_id: string;
  received: string;
  failed_at: string;
  reason: string;
  attempts: number;
  next_try: string | null;
  in_failed_folder: boolean;
}

export interface FailedOutcome {
  id: number;
  /** `queued`, `discarded`, `not_found`, or the disposition that the mail has already. */
  outcome: string;
  message: string;
}

export interface Receipt {
  id: number;
  account: number | null;
  email: string;
  disposition: string;
  reason: string;
  attempts: number;
  next_try: string | null;
  subject: string;
  sender: string;
  message_id: string;
  conversation: number | null;
  conversationmessage: number | null;
  seen_at: string;
}

/** One fact; `withheld` is the code of those that the user may not see. */
export interface TraceEntry {
  code: string;
  sentence: string;
  details: Record<string, unknown>;
}

export interface MessageTrace {
  message: number;
  conversation: number;
  receipts: number[];
  entries: TraceEntry[];
}

export interface ReceiptQuery extends Paging {
  account?: number;
  disposition?: string;
  since?: string;
  until?: string;
  text?: string;
  before?: number;
}

export interface ReceiptsApi {
  list(query?: ReceiptQuery): Promise<CountedPage<Receipt>>;
  read(receipt: number): Promise<Receipt & { entries: TraceEntry[] }>;
  /** Why a message is here. */
  trace(message: number): Promise<MessageTrace>;
  failed(
    account: number,
    query?: Paging & { before?: number },
  ): Promise<CountedPage<FailedMessage>>;
  /** A failed mail as a file. */
  raw(receipt: number): Promise<Blob>;
  /** Import failed mails once more, by the ids of their receipts. */
  retry(ids: number[]): Promise<{ items: FailedOutcome[] }>;
  /** Let failed mails be, for good. */
  discard(ids: number[]): Promise<{ items: FailedOutcome[] }>;
}

export function receipts(client: Client): ReceiptsApi {
  return {
    list: (query) => client.get('receipts/', { ...query }),
    read: (receipt) => client.get(`receipt/${receipt}/`),
    trace: (message) => client.get(`message/${message}/trace/`),
    failed: (account, query) => client.get(`failed-messages/${account}/`, { ...query }),
    raw: (receipt) => client.file(`failed-message/${receipt}/raw`),
    retry: (ids) => client.post('failed-messages/retry/', { ids }),
    discard: (ids) => client.post('failed-messages/discard/', { ids }),
  };
}
