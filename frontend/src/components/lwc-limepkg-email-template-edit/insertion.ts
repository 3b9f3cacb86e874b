/** Putting a text where the cursor is, in elements of lime-elements that offer no way to. */

/** Put a text into a `limel-input-field`; gives its new content, or nothing without an input. */
export function inserted(field: HTMLElement, text: string): string | undefined {
  const input = field.shadowRoot?.querySelector('input');
  if (!input) {
    return undefined;
  }
  const start = input.selectionStart ?? input.value.length;
  const end = input.selectionEnd ?? start;
  input.focus();
  return input.value.slice(0, start) + text + input.value.slice(end);
}

/** Put a text into a `limel-text-editor`, as if it were typed; tells whether that was possible. */
export function typeInto(editor: HTMLElement, text: string): boolean {
  const editable = editableIn(editor);
  editable?.focus();
  // Old, but the one way in which the editor notices and can undo it.
  return editable !== undefined && document.execCommand('insertText', false, text);
}

function editableIn(element: Element): HTMLElement | undefined {
  const root = element.shadowRoot;
  const found = root?.querySelector<HTMLElement>('[contenteditable="true"]');
  if (found || !root) {
    return found ?? undefined;
  }
  for (const each of root.querySelectorAll('*')) {
    const deeper = editableIn(each);
    if (deeper) {
      return deeper;
    }
  }
  return undefined;
}
