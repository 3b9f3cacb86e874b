/** Makes what word processors put on the clipboard into html that an editor and mail can show. */

// Word's `mso-bidi-font-weight` is about texts from right to left only.
const BOLD = /(?<![\w-])font-weight:\s*(bold|[6-9]00)/i;
const LIGHT = /(?<![\w-])font-weight:\s*(normal|[1-5]00)/i;
const SLANTED = /(?<![\w-])font-style:\s*italic/i;
const LIST = /mso-list:/i;
const MARKER = /mso-list:\s*Ignore/i;

const STYLES = /<style\b[\s\S]*?<\/style>/gi;
const TAG = /<[a-z](?:[^>"']|"[^"]*(?:"|$)|'[^']*(?:'|$))*(?:>|$)/gi;
const ATTRIBUTE = /(\s)([^\s=>"'/]+)(\s*=\s*(?:"[^"]*"|'[^']*'|[^\s>"']+))/g;

/** Give clean html; what is bold, slanted or a list in the source is so afterwards. */
export function cleanPasted(html: string): string {
  const body = parsed(html);
  all(body, 'style, script, meta, title, link').forEach((each) => each.remove());
  // An editor that cannot fetch a picture loses the text around it as well.
  all(body, 'img').forEach((each) => {
    if (!each.getAttribute('src')?.startsWith('data:image/')) {
      const alt = each.getAttribute('alt') ?? '';
      replace(each, [body.ownerDocument.createTextNode(alt)]);
    }
  });
  // Google Docs wraps all it copies in a `b` that is not bold.
  all(body, 'b, strong').forEach((each) => {
    if (LIGHT.test(styleOf(each))) {
      replace(each, Array.from(each.childNodes));
    }
  });
  all(body, 'span').forEach(sayByElements);
  makeLists(body);
  all(body, '[data-style]').forEach((each) => each.removeAttribute('data-style'));
  return body.innerHTML.replace(/<!--[\s\S]*?-->/g, '');
}

/** Tell whether html says anything. */
export function hasText(html: string): boolean {
  return Boolean(parsed(html).textContent?.trim());
}

function sayByElements(span: Element): void {
  const style = styleOf(span);
  if (BOLD.test(style)) {
    wrapInside(span, 'strong');
  }
  if (SLANTED.test(style)) {
    wrapInside(span, 'em');
  }
}

/** Word writes lists as paragraphs, each with its bullet or number as text. */
function makeLists(body: HTMLElement): void {
  let last: Element | undefined;
  const items = all(body, 'p').filter((each) => LIST.test(styleOf(each)));
  for (const paragraph of items) {
    const marker = all(paragraph, 'span').find((each) => MARKER.test(styleOf(each)));
    const tag = /^\s*\w+[.)]/.test(marker?.textContent ?? '') ? 'ol' : 'ul';
    marker?.remove();
    let list = paragraph.previousElementSibling;
    if (!list || list !== last || list.tagName.toLowerCase() !== tag) {
      list = body.ownerDocument.createElement(tag);
      paragraph.parentNode?.insertBefore(list, paragraph);
    }
    const item = body.ownerDocument.createElement('li');
    list.appendChild(item);
    Array.from(paragraph.childNodes).forEach((each) => item.appendChild(each));
    paragraph.remove();
    last = list;
  }
}

/** A page's policy refuses styles, and browsers complain of each of them: they get another name. */
export function parsed(html: string): HTMLElement {
  const quiet = html
    .replace(STYLES, '')
    .replace(TAG, (tag) =>
      tag.replace(ATTRIBUTE, (whole, space: string, name: string, value: string) =>
        name.toLowerCase() === 'style' ? `${space}data-style${value}` : whole,
      ),
    );
  return new DOMParser().parseFromString(quiet, 'text/html').body;
}

function styleOf(element: Element): string {
  return element.getAttribute('data-style') ?? '';
}

function all(root: Element, selector: string): Element[] {
  return Array.from(root.querySelectorAll(selector));
}

function wrapInside(element: Element, tag: string): void {
  const wrapper = element.ownerDocument.createElement(tag);
  Array.from(element.childNodes).forEach((each) => wrapper.appendChild(each));
  element.appendChild(wrapper);
}

function replace(element: Element, nodes: readonly Node[]): void {
  nodes.forEach((each) => element.parentNode?.insertBefore(each, element));
  element.remove();
}
