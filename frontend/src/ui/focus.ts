/** Where the keyboard is, to return to it when a dialog is closed. */

/** Give what has the focus, in whichever shadow root it is. */
export function focused(): HTMLElement | null {
  let found = document.activeElement;
  while (found?.shadowRoot?.activeElement) {
    found = found.shadowRoot.activeElement;
  }
  return found as HTMLElement | null;
}
