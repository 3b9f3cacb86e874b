/** The list of snippets that opens when somebody types `!`. */

import { Snippet, SnippetsApi } from '../../services/email-api/snippets';

/** What the editor gives of the place where `!` was typed. */
export interface TriggerPlace {
  insertHtml: (html: string) => Promise<void>;
  stopTrigger: () => void;
}

const MOST = 8;
const PAUSE = 150;

export class SnippetSearch {
  isOpen = false;
  found: Snippet[] = [];
  active = 0;

  private place?: TriggerPlace;
  private asked = 0;
  private hasMoved = false;
  private timer?: ReturnType<typeof setTimeout>;

  constructor(
    private readonly snippets: SnippetsApi,
    private readonly changed: () => void,
    private readonly options: { asEditorHtml?: (html: string) => string; pause?: number } = {},
  ) {}

  open(place: TriggerPlace): void {
    this.place = place;
    this.isOpen = true;
    this.active = 0;
    this.hasMoved = false;
    void this.search('');
  }

  /** Something was typed after `!`. */
  narrow(title: string, place: TriggerPlace): void {
    this.place = place;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.search(title), this.options.pause ?? PAUSE);
  }

  close(): void {
    clearTimeout(this.timer);
    this.asked += 1;
    this.isOpen = false;
    this.found = [];
    this.changed();
  }

  /** Put a snippet where `!` was typed. */
  async take(snippet: Snippet | undefined): Promise<void> {
    const { place } = this;
    this.close();
    if (snippet && place) {
      const { asEditorHtml = (html) => html } = this.options;
      await place.insertHtml(asEditorHtml(snippet.text));
    }
  }

  /** Handle a key while the list is open; tells whether it was meant for the list. */
  press(key: string): boolean {
    if (!this.isOpen || !this.found.length) {
      return false;
    }
    const count = this.found.length;
    if (key === 'ArrowDown' || key === 'ArrowUp') {
      this.hasMoved = true;
      this.active = (this.active + (key === 'ArrowDown' ? 1 : -1) + count) % count;
      this.changed();
    } else if (key === 'Enter' || key === 'Tab') {
      void this.take(this.found[this.active]);
    } else if (key === 'Escape') {
      this.place?.stopTrigger();
      this.close();
    } else {
      return false;
    }
    return true;
  }

  private async search(title: string): Promise<void> {
    const asked = ++this.asked;
    try {
      const query = { title: title.slice(0, 128) || undefined, limit: MOST };
      const { items } = await this.snippets.list(query);
      if (asked === this.asked && this.isOpen) {
        const chosen = this.hasMoved ? this.found[this.active]?.id : undefined;
        this.found = items;
        // Whoever is choosing already goes on from there, although the answer came late.
        this.active = Math.max(
          0,
          items.findIndex((each) => each.id === chosen),
        );
        this.changed();
      }
    } catch {
      // What is typed is text, then.
      this.close();
    }
  }
}
