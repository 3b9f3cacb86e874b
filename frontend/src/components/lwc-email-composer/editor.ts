/** What the editor of lime-elements does not offer: inserting at the cursor from outside. */

export interface EditorElement extends HTMLElement {
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
  // The editor knows best how html fits where the cursor is: as when it is pasted.
  const paste = new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true });
  return !field.dispatchEvent(paste);
}

/** Put the cursor into the text. */
export function focusText(editor: HTMLElement): void {
  editable(editor)?.focus();
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

function editable(element: Element): HTMLElement | undefined {
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
