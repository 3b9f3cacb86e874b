/** The text of a message in the editor: what is typed, inserted and chosen after `!`. */

import { SnippetsApi } from '../../services/email-api/snippets';
import { asDataUrl, EditorElement, focusText, insertAtCursor, isPicture } from './editor';
import { cleanPasted, hasText } from './pasted-html';
import { SnippetSearch, TriggerPlace } from './snippet-search';
import type { Writing } from './writing';

/** Characters that a text may have with its pictures, so that the server keeps it as a draft. */
const LONGEST = 7_500_000;

interface TriggerDetail {
  textEditor: TriggerPlace;
  value: string;
}

export interface TextEditingOptions {
  snippets: SnippetsApi;
  writing: () => Writing | undefined;
  changed: () => void;
}

export class TextEditing {
  /** What the editor is told to show. */
  html = '';

  editor?: EditorElement;

  readonly search: SnippetSearch;

  constructor(private readonly options: TextEditingOptions) {
    this.search = new SnippetSearch(options.snippets, options.changed);
  }

  /** Pictures are part of the text; others, and too large ones, become files. */
  readonly inlineImages = {
    upload: async (file: File): Promise<string> => {
      const writing = this.options.writing();
      const length = (writing?.html.length ?? 0) + (file.size * 4) / 3;
      if (!writing || length > LONGEST || file.size > writing.limits.each || !isPicture(file)) {
        writing?.attach([file]);
        throw new Error(file.name);
      }
      return asDataUrl(file);
    },
  };

  focus(): void {
    if (this.editor) {
      focusText(this.editor);
    }
  }

  /** Have everything that was typed; the editor tells of it after a pause. */
  async settle(): Promise<void> {
    await this.editor?.flushPendingChanges?.();
  }

  replace(html: string): void {
    this.html = html;
    if (!html) {
      // The editor may hold text that it has not told of yet.
      void this.editor?.clear?.();
    }
    this.options.changed();
  }

  /** Put html where the cursor is. */
  insert(html: string): void {
    if (!this.editor || !insertAtCursor(this.editor, html)) {
      const writing = this.options.writing();
      this.html = `${writing?.html ?? ''}${html}`;
      writing?.setText(this.html);
    }
  }

  /** Clean what was copied elsewhere; what the editor copied itself it knows best. */
  pasted(event: ClipboardEvent): void {
    const html = event.clipboardData?.getData('text/html') ?? '';
    const isInEditor = Boolean(this.editor && event.composedPath().includes(this.editor));
    if (!isInEditor || !hasText(html) || html.includes('data-pm-slice')) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    this.insert(cleanPasted(html));
  }

  edited(event: Event): void {
    event.stopPropagation();
    if (event.target === this.editor) {
      this.html = (event as CustomEvent<string>).detail;
      this.options.writing()?.setText(this.html);
    }
  }

  triggered(event: CustomEvent<TriggerDetail>): void {
    event.stopPropagation();
    const { textEditor, value } = event.detail;
    if (event.type === 'triggerStart') {
      this.search.open(textEditor);
    } else if (event.type === 'triggerStop') {
      this.search.close();
    } else if (this.search.isOpen) {
      this.search.narrow(value, textEditor);
    }
  }
}
