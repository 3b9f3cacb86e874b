/** What the toolbar offers to put into a message: templates, snippets, documents of the record. */

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { MessageDocument } from '../../services/email-api/messages';
import { Snippet } from '../../services/email-api/snippets';
import { Template } from '../../services/email-api/templates';
import { Texts } from '../../translate';
import { notifyError } from '../../ui/notify';
import { templatesFor } from './materials';
import type { Writing } from './writing';

const MOST_SNIPPETS = 200;

export interface OffersOptions {
  platform: Platform;
  texts: Texts;
  insert: (html: string) => Promise<void>;
  changed: () => void;
}

export class Offers {
  templates: Template[] = [];
  snippets: Snippet[] = [];

  /** The record's documents while they are shown. */
  documents?: MessageDocument[];

  constructor(private readonly options: OffersOptions) {}

  async load({ accounts, account }: Writing): Promise<void> {
    const api = emailApi(this.options.platform);
    const chosen = accounts.find((each) => each.id === account);
    try {
      this.templates = await templatesFor(api, chosen);
      this.snippets = (await api.snippets.list({ limit: MOST_SNIPPETS })).items;
    } catch {
      // Messages can be written without them.
      this.templates = [];
    }
    this.options.changed();
  }

  async insertTemplate(writing: Writing, id: number): Promise<void> {
    const { platform, texts, insert } = this.options;
    try {
      await insert((await writing.fill(id)).html);
    } catch (error) {
      notifyError(platform, texts.get('composer.not_filled'), error);
    }
  }

  insertSnippet(id: number): void {
    const snippet = this.snippets.find((each) => each.id === id);
    if (snippet) {
      void this.options.insert(snippet.text);
    }
  }

  /** Show the record's documents, or hide them. */
  async toggleDocuments(writing: Writing): Promise<void> {
    const { platform, texts, changed } = this.options;
    try {
      this.documents = this.documents ? undefined : await writing.documents();
    } catch (error) {
      notifyError(platform, texts.get('composer.documents_failed'), error);
    }
    changed();
  }

  hideDocuments(): void {
    this.documents = undefined;
  }
}
