/** What the visual editor can be trusted with, and what comes back from it. */

/** A value, a block or a remark of a template. */
const JINJA = /\{\{[\s\S]*?\}\}|\{%[\s\S]*?%\}|\{#[\s\S]*?#\}/g;
const TAG = /<(\/?)([a-z][a-z0-9]*)((?:[^>"]|"[^"]*")*)>/gi;
const ATTRIBUTES = /^(?:\s+(?:href|title)="[^"]*")*\s*\/?$/i;
const TEXT_BLOCKS = ['p', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
const INLINE = ['strong', 'b', 'em', 'i', 's', 'code', 'a'];
const BLOCKS = [...TEXT_BLOCKS, 'ul', 'ol', 'blockquote', 'hr'];

/** Which elements may stand in which; the empty name is the body itself. */
const INSIDE: Record<string, readonly string[]> = {
  '': BLOCKS,
  ul: ['li'],
  ol: ['li'],
  li: ['p', 'ul', 'ol'],
  blockquote: BLOCKS,
};
const VOID = ['br', 'hr'];

/**
 * Tell whether the visual editor gives a body back as it got it. It keeps what it has a button for;
 * it drops styles, pictures' addresses and `div`, and makes paragraphs of blocks that stand between
 * elements, as in `{% for … %}<li>…</li>{% endfor %}`.
 */
export function survivesEditor(body: string): boolean {
  const open: string[] = [];
  let survives = true;
  let end = 0;
  const jinja = [...body.matchAll(JINJA)].map(([found]) => found);
  if (jinja.some((each) => /&|<[a-z/!?]|"[^"]*\s{2}[^"]*"|'[^']*\s{2}[^']*'/i.test(each))) {
    return false;
  }
  // What templates calculate has no tags in it now; its signs must not look like some.
  const html = body.replace(JINJA, (found) => found.replace(/[<>"]/g, '_'));
  const attributes = [...body.matchAll(TAG)].every(([, , , found]) => !/\{[%#]/.test(found ?? ''));
  for (const tag of html.matchAll(TAG)) {
    const [whole, closing, named = '', rest = ''] = tag;
    const name = named.toLowerCase();
    survives &&= mayHold(open, html.slice(end, tag.index));
    end = tag.index + whole.length;
    if (closing) {
      survives &&= open.pop() === name;
    } else {
      survives &&= fits(open.at(-1) ?? '', name) && ATTRIBUTES.test(rest);
      survives &&= !rest.trim() || name === 'a' || VOID.includes(name);
      if (!VOID.includes(name)) {
        open.push(name);
      }
    }
  }
  return survives && attributes && open.length === 0 && mayHold(open, html.slice(end));
}

/** Make a body of what the visual editor gave: signs in templates are no HTML, and lines are short. */
export function fromEditor(html: string): string {
  return html
    .replace(JINJA, (found) =>
      found
        .replace(/&nbsp;|\u00a0/g, ' ')
        .replace(/&lt;/g, '<')
        .replace(/&gt;/g, '>')
        .replace(/&quot;/g, '"')
        .replace(/&amp;/g, '&'),
    )
    .replace(/(<\/(?:p|h[1-6]|ul|ol|blockquote|li)>|<hr>)(?=<(?!\/))/g, '$1\n');
}

/** Give what is inserted for a value: only where there is one, if so wanted. */
export function placeholder(name: string, onlyIfThere: boolean): string {
  const value = `{{ ${name} }}`;
  return onlyIfThere ? `{% if ${name} %}${value}{% endif %}` : value;
}

function fits(outer: string, name: string): boolean {
  if (TEXT_BLOCKS.includes(outer) || INLINE.includes(outer)) {
    return INLINE.includes(name) || name === 'br';
  }
  return INSIDE[outer]?.includes(name) ?? false;
}

function mayHold(open: readonly string[], text: string): boolean {
  const inner = open.at(-1) ?? '';
  const isText = TEXT_BLOCKS.includes(inner) || INLINE.includes(inner);
  return isText ? !text.includes('<') : text.trim() === '';
}
