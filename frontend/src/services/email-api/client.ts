/** Requests to the package's endpoints over the host's HTTP service. */

import { Http, HttpOptions, Platform, service } from '../../platform';
import { EmailError, toEmailError } from '../email-error';

const BASE = 'limepkg-email';

export type Query = Record<string, string | number | boolean | readonly number[] | undefined>;

/** Which part of a list; the server has a default and a greatest `limit`. */
export interface Paging {
  limit?: number;
  offset?: number;
}

/** A part of a list, and how many entries there are in all. */
export interface Page<Item> {
  items: Item[];
  total: number;
}

export interface SendOptions {
  /** The same key once more does nothing and gives the same answer. */
  idempotencyKey?: string;
  /** Files that go along; the request is a form then. */
  files?: readonly File[];
  /** Told the share (0 to 1) that has been sent, on hosts that know it. */
  onProgress?: (share: number) => void;
}

/** Every method throws `EmailError` and nothing else. */
export class Client {
  constructor(private readonly platform: Platform) {}

  get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return this.answer((http) => http.get(at(path), { params: params(query) }));
  }

  /** Get something that is no JSON. */
  file(path: string): Promise<Blob> {
    return this.answer((http) => http.get(at(path), { responseType: 'blob' }));
  }

  post<Answer>(path: string, body: object = {}, options: SendOptions = {}): Promise<Answer> {
    const http: HttpOptions = {};
    if (options.idempotencyKey) {
      http.headers = { 'Idempotency-Key': options.idempotencyKey };
    }
    if (options.onProgress) {
      http.onUploadProgress = options.onProgress;
    }
    const data = options.files?.length ? form(body, options.files) : body;
    return this.answer((found) => found.post(at(path), data, http));
  }

  put<Answer>(path: string, body: object, query: Query = {}): Promise<Answer> {
    return this.answer((http) => http.put(at(path), body, { params: params(query) }));
  }

  delete<Answer>(path: string, body: object = {}, query: Query = {}): Promise<Answer> {
    return this.answer((http) => http.delete(at(path), body, { params: params(query) }));
  }

  private async answer<Answer>(ask: (http: Http) => Promise<unknown>): Promise<Answer> {
    const http = service(this.platform, 'http');
    if (!http) {
      throw new EmailError({ code: 'no_http_service', message: 'The host has no HTTP.' }, 0);
    }
    try {
      return (await ask(http)) as Answer;
    } catch (error) {
      throw await toEmailError(error);
    }
  }
}

/** Make a key that no other message has. */
export function newIdempotencyKey(): string {
  // `randomUUID` exists on pages from https and localhost only.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (each) => each.toString(16).padStart(2, '0')).join('');
}

function at(path: string): string {
  return `${BASE}/${path}`;
}

function params(query: Query): Record<string, string> {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
}

function form(body: object, files: readonly File[]): FormData {
  const data = new FormData();
  data.append('message', JSON.stringify(body));
  files.forEach((file) => data.append('files', file, file.name));
  return data;
}
