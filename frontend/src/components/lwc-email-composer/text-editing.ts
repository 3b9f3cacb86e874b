/** The text of a message in the editor: what is typed, inserted and chosen after `!`. */

import { SnippetsApi } from '../../services/email-api/snippets';
import { caretIn, placeCaret } from './caret';
import {
  asDataUrl,
  EditorElement,
  focusText,
  insertAtCursor,
  isPicture,
  isStuckInList,
} from './editor';
import { cleanPasted, hasText, parsed } from './pasted-html';
import { hasPictures, PICTURE, Pictures, withoutMarks } from './pictures';
import { SnippetSearch, TriggerPlace } from './snippet-search';
import type { Writing } from './writing';

/** Characters that a text may have with its pictures, so that the server keeps it as a draft. */
const LONGEST = 7_500_000;

const TRIES = 60;
const PAUSE = 50;

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
  /** What the editor is told to show, in its own form. */
  html = '';

  editor?: EditorElement;

  readonly search: SnippetSearch;

  private readonly pictures = new Pictures();

  constructor(private readonly options: TextEditingOptions) {
    this.search = new SnippetSearch(options.snippets, options.changed, {
      asEditorHtml: (html) => this.pictures.toEditor(html),
    });
  }

  /** Pictures are part of the text; others, and too large ones, become files. */
  readonly inlineImages = {
    tagName: PICTURE as `${string}-${string}`,
    getUrl: (id: string): string => this.pictures.source(id),
    upload: async (file: File): Promise<string> => {
      const writing = this.options.writing();
      const length = (writing?.html.length ?? 0) + (file.size * 4) / 3;
      if (!writing || length > LONGEST || file.size > writing.limits.each || !isPicture(file)) {
        writing?.attach([file]);
        throw new Error(file.name);
      }
      return this.pictures.add(await asDataUrl(file));
    },
  };

  /** Put the cursor into the text, as soon as the editor has built its inside. */
  async focus(): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      if (this.editor?.isConnected && focusText(this.editor)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }

  /** Tell whether the editor would keep a Tab with which it does nothing. */
  keepsTab(event: Event): boolean {
    const { editor } = this;
    return Boolean(editor && event.composedPath().includes(editor) && isStuckInList(editor));
  }

  /** Have everything that was typed; the editor tells of it after a pause. */
  async settle(): Promise<void> {
    await this.editor?.flushPendingChanges?.();
  }

  replace(html: string): void {
    this.tell(html);
    if (!html) {
      // The editor may hold text that it has not told of yet.
      void this.editor?.clear?.();
    }
    this.options.changed();
  }

  /** Put html where the cursor is, or at the end if the editor cannot take it whole. */
  async insert(html: string): Promise<void> {
    const { editor, options, pictures } = this;
    await this.settle();
    const before = options.writing()?.html ?? '';
    const inserted = editor && insertAtCursor(editor, pictures.marked(html));
    await this.settle();
    const now = options.writing()?.html ?? '';
    if (!inserted || !saysAll(now, html)) {
      this.show(before + html);
    } else if (hasPictures(html)) {
      const caret = caretIn(editor, withoutMarks);
      this.show(now);
      if (caret !== undefined) {
        await placeCaret(editor, caret, (text) => withoutMarks(text) === text);
      }
    }
  }

  /** Clean what was copied elsewhere; what the editor copied itself it knows best. */
  pasted(event: ClipboardEvent): void {
    const html = event.clipboardData?.getData('text/html') ?? '';
    const isInEditor = Boolean(this.editor && event.composedPath().includes(this.editor));
    const own = html.includes('data-pm-slice');
    const text = own ? this.pictures.fromEditor(html) : html;
    if (!isInEditor || !(hasText(text) || own) || (own && !hasPictures(text))) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    void this.insert(own ? text : cleanPasted(html));
  }

  /** Have the editor show another text, which is that of the message. */
  private show(html: string): void {
    this.tell(html);
    this.options.writing()?.setText(html);
    this.options.changed();
  }

  private tell(html: string): void {
    const told = this.pictures.toEditor(html);
    // What it was told last is no news to it, though it holds something else by now.
    this.html = told && told === this.editor?.value ? `${told}\n` : told;
  }

  edited(event: Event): void {
    event.stopPropagation();
    if (event.target === this.editor) {
      this.html = (event as CustomEvent<string>).detail;
      this.options.writing()?.setText(this.pictures.fromEditor(this.html));
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

/** Tell whether a text has all the words of what was put into it, in their order. */
function saysAll(html: string, inserted: string): boolean {
  return wordsOf(html).includes(wordsOf(inserted));
}

function wordsOf(html: string): string {
  const body = parsed(html);
  body.querySelectorAll('style, script, title').forEach((each) => each.remove());
  // Blocks are kept apart in one way here and in another one there.
  return (body.textContent ?? '').replace(/\s+/g, '');
}
