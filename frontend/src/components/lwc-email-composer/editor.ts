/** What the editor of lime-elements does not offer: inserting at the cursor from outside. */

export interface EditorElement extends HTMLElement {
  value?: string;
  flushPendingChanges?: () => Promise<void>;
  clear?: () => Promise<void>;
}

/** Put html at the cursor of an editor; tells whether the editor took it. */
export function insertAtCursor(editor: HTMLElement, html: string): boolean {
  const field = editable(editor);
  if (!field || typeof ClipboardEvent === 'undefined') {
    return false;
  }
  field.focus();
  const clipboardData = new DataTransfer();
  clipboardData.setData('text/html', html);
  const before = field.innerHTML;
  // The editor knows best how html fits where the cursor is: as when it is pasted.
  const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  return !field.dispatchEvent(paste) && field.innerHTML !== before;
}

/** Put the cursor into the text; tells whether there is one yet. */
export function focusText(editor: HTMLElement): boolean {
  const field = editable(editor);
  field?.focus();
  return field !== undefined;
}

/**
 * Tell whether Tab can do nothing in the list in which the cursor is: the editor keeps the key all
 * the same, and nobody could get any further with the keyboard alone.
 */
export function isStuckInList(editor: HTMLElement): boolean {
  const item = elementOf(cursorIn(editable(editor)))?.closest('li');
  return Boolean(item && !item.previousElementSibling);
}

/** Read a picture as an address that carries it; the server makes a part of the mail of it. */
export function asDataUrl(file: File): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(reader.result as string);
    reader.onerror = () => reject(reader.error ?? new Error(file.name));
    reader.readAsDataURL(file);
  });
}

/** Tell whether mail programs show the picture within a text. */
export function isPicture({ type }: Pick<File, 'type'>): boolean {
  return /^image\/(png|jpeg|gif|webp)$/.test(type);
}

/** Give the inner field of an editor. */
export function editable(element: Element): HTMLElement | undefined {
  const inside = element.shadowRoot;
  if (!inside) {
    return undefined;
  }
  const found = inside.querySelector<HTMLElement>('[contenteditable="true"]');
  if (found) {
    return found;
  }
  for (const each of Array.from(inside.querySelectorAll('*'))) {
    const deeper = editable(each);
    if (deeper) {
      return deeper;
    }
  }
  return undefined;
}

/** Browsers differ in how they tell of a selection within a shadow tree. */
export function selectionOf(field: HTMLElement | undefined): Selection | null {
  const root = field?.getRootNode() as { getSelection?: () => Selection | null } | undefined;
  return root?.getSelection?.() ?? field?.ownerDocument.getSelection() ?? null;
}

function cursorIn(field: HTMLElement | undefined): Node | undefined {
  const node = selectionOf(field)?.focusNode;
  return node && field?.contains(node) ? node : undefined;
}

function elementOf(node: Node | undefined): Element | null {
  return node instanceof Element ? node : (node?.parentElement ?? null);
}
