/** Where the cursor is in the editor, as a number of characters from the beginning. */

import { editable, selectionOf } from './editor';

const TRIES = 20;
const PAUSE = 50;

/** Give the place of the cursor, counted in the characters that `counted` leaves of a text. */
export function caretIn(
  editor: HTMLElement,
  counted: (text: string) => string,
): number | undefined {
  const field = editable(editor);
  const selection = selectionOf(field);
  if (!field || !selection?.focusNode || !field.contains(selection.focusNode)) {
    return undefined;
  }
  const before = field.ownerDocument.createRange();
  before.selectNodeContents(field);
  before.setEnd(selection.focusNode, selection.focusOffset);
  return counted(before.toString()).length;
}

/** Put the cursor at a place, once the editor shows the text for which it was counted. */
export async function placeCaret(
  editor: HTMLElement,
  place: number,
  isShown: (text: string) => boolean,
): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    const field = editable(editor);
    if (field && isShown(field.textContent ?? '')) {
      const [node, offset] = at(field, place);
      selectionOf(field)?.collapse(node, offset);
      return;
    }
  }
}

function at(field: HTMLElement, place: number): [Node, number] {
  const texts = field.ownerDocument.createTreeWalker(field, NodeFilter.SHOW_TEXT);
  let left = place;
  let found: [Node, number] = [field, field.childNodes.length];
  while (texts.nextNode()) {
    const { currentNode: node } = texts;
    const length = node.textContent?.length ?? 0;
    found = [node, Math.min(left, length)];
    if (left <= length) {
      return found;
    }
    left -= length;
  }
  return found;
}
