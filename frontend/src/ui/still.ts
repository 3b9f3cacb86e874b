/** Showing a mail's HTML in a frame of ours, under the strictest policy of the page around it. */

/** What a frame shows before it is written into; give it `sandbox="allow-same-origin"`, so that nothing runs. */
export const EMPTY_PAGE = '<!doctype html><html><head><title></title></head><body></body></html>';

const LOUD = ['style', 'src', 'srcset', 'background', 'poster'];
const ATTRIBUTE = /(\s)([a-z-]+)=("[^"]*")/gi;
const TAG = /<[a-z][^>"]*(?:"[^"]*"[^>"]*)*>/gi;

/**
 * Rename attributes that load something or that a policy refuses, so that the HTML can be parsed
 * without a request or a violation. It is the server's, which writes each value in double quotes.
 */
export function still(html: string): string {
  return html.replace(TAG, (tag) =>
    tag.replace(ATTRIBUTE, (whole, space: string, name: string, value: string) =>
      LOUD.includes(name.toLowerCase()) ? `${space}data-${name}=${value}` : whole,
    ),
  );
}

/** Show the HTML in the frame's document. Pictures that are elsewhere give way to their names. */
export function showIn(page: Document, html: string): void {
  page.body.innerHTML = still(html);
  page.documentElement.style.cssText = 'color-scheme: light; background: #fff';
  page.body.style.cssText =
    'display: flow-root; margin: 1rem; font: 0.875rem/1.5 system-ui, sans-serif; color: #222; overflow-wrap: anywhere';
  // Set by script, styles are no inline styles to a policy.
  for (const each of page.body.querySelectorAll<HTMLElement>('[data-style]')) {
    each.style.cssText = each.dataset.style ?? '';
  }
  for (const image of page.body.querySelectorAll<HTMLImageElement>('img[data-src]')) {
    const source = image.dataset.src ?? '';
    if (source.startsWith('data:image/')) {
      image.src = source;
      image.style.maxWidth = '100%';
    } else {
      image.replaceWith(boxed(page, image.alt || source));
    }
  }
  for (const link of page.body.querySelectorAll('a')) {
    // A click would replace the preview.
    link.removeAttribute('href');
    link.style.textDecoration = 'underline';
  }
}

function boxed(page: Document, name: string): HTMLElement {
  const box = page.createElement('span');
  box.textContent = `🖼 ${name}`;
  box.style.cssText = 'border: 1px dashed #888; padding: 0.25rem 0.5rem; color: #555';
  return box;
}
