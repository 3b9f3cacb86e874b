/** Texts that people insert while they write, and what stands below their messages. */

import { Client, Page, Paging } from './client';

export interface NewSnippet {
  title: string;
  /** HTML; stored sanitised. */
  text: string;
}

export interface Snippet extends NewSnippet {
  id: number;
}

export interface SnippetsApi {
  /** `title` is what was typed after `!`; `search` looks in the text as well. */
  list(query?: Paging & { search?: string; title?: string }): Promise<Page<Snippet>>;
  read(snippet: number): Promise<Snippet>;
  create(snippet: NewSnippet): Promise<Snippet>;
  change(snippet: number, changed: NewSnippet): Promise<Snippet>;
  remove(snippet: number): Promise<void>;
  /** The user's own signature; empty if the account's serves. */
  signature(): Promise<{ signature: string }>;
  setSignature(signature: string): Promise<{ signature: string }>;
}

export function snippets(client: Client): SnippetsApi {
  return {
    list: (query) => client.get('snippet/', { ...query }),
    read: (snippet) => client.get(`snippet/${snippet}/`),
    create: (snippet) => client.post('snippet/', snippet),
    change: (snippet, changed) => client.put(`snippet/${snippet}/`, changed),
    remove: (snippet) => client.delete(`snippet/${snippet}/`),
    signature: () => client.get('signature/'),
    setSignature: (signature) => client.put('signature/', { signature }),
  };
}
