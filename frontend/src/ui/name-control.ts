/**
 * Names for controls of lime-elements that screen readers can hear.
 *
 * Some elements of lime-elements 40 refer to labels by ids in another shadow tree, which name
 * nothing. The name is therefore set on the inner control itself, once that is there.
 */

const INNER =
  'input, textarea, select, [contenteditable="true"], [role="textbox"], [role="dialog"], ' +
  '[role="alertdialog"], [role="combobox"], [role="listbox"], button';
const TRIES = 40;
const PAUSE = 50;

interface LazyElement extends HTMLElement {
  componentOnReady?: () => Promise<unknown>;
}

/**
 * Give a `ref` that names the control inside an element:
 * `<limel-input-field label={label} ref={nameControl(label)} />`.
 *
 * `inner` chooses another control than the first one that can be named.
 */
export function nameControl(name: string, inner = INNER): (element?: HTMLElement) => void {
  return (element) => {
    if (element) {
      void waitAndName(element, name, inner);
    }
  };
}

async function waitAndName(element: LazyElement, name: string, inner: string): Promise<void> {
  await element.componentOnReady?.();
  for (let tries = 0; tries < TRIES; tries++) {
    const control = findInside(element, inner);
    if (control) {
      label(control, name);
      return;
    }
    // The editor builds its inside some time after it says that it is ready.
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (!element.isConnected) {
      return;
    }
  }
}

function label(control: Element, name: string): void {
  control.removeAttribute('aria-labelledby');
  control.setAttribute('aria-label', name);
  if (control.getAttribute('contenteditable') === 'true') {
    control.setAttribute('role', 'textbox');
    control.setAttribute('aria-multiline', 'true');
  }
}

/** Find the first match in an element's shadow trees, the nearest one first. */
function findInside(element: Element, selector: string): Element | undefined {
  const root = element.shadowRoot;
  if (!root) {
    return undefined;
  }
  const found = root.querySelector(selector);
  if (found) {
    return found;
  }
  for (const each of Array.from(root.querySelectorAll('*'))) {
    const deeper = each.tagName.includes('-') ? findInside(each, selector) : undefined;
    if (deeper) {
      return deeper;
    }
  }
  return undefined;
}
