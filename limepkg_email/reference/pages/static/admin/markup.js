// What people type as text of a snippet becomes HTML, and HTML becomes what they can type.

// What the server keeps of HTML; everything else that looks like a tag is text.
const _TAGS = "a abbr address b bdi bdo big blockquote br caption center cite code col colgroup dd del dfn div dl dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section small span strike strong sub sup table tbody td tfoot th thead time tr tt u ul var wbr";
const _KEPT = new Set(_TAGS.split(" "));
const _VOID = new Set(["br", "col", "hr", "img", "wbr"]);
// Attributes need values: in `a <b and c> d` there are none.
const _TAG = /<(\/?)([a-z][a-z0-9]*)((?:\s+[a-z-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>=`]+))*)\s*\/?>/gi;
const _ENTITY = /&(?!(?:#\d+|#x[\da-f]+|[a-z][a-z\d]*);)/gi;
const _BLOCK = /^\s*<\/?(?:address|blockquote|center|dd|div|dl|dt|figure|figcaption|footer|h[1-6]|header|hr|li|main|ol|p|pre|section|table|tbody|td|tfoot|th|thead|tr|ul)\b/i;
const _CHARACTERS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\u00a0": "&nbsp;" };

/**
 * Make HTML of a text: simple tags that are opened and closed stay, and every other `<` is a text.
 *
 * Empty lines make paragraphs. A text without tags has no entities either: `&amp;` is what it says.
 */
export function asHtml(text) {
  const paired = pairs(text);
  const inside = paired.size ? (part) => kept(part, paired) : escaped;
  const parts = text.replace(/\r\n?/g, "\n").trim().split(/\n{2,}/).map(inside);
  return parts.map((each) => (_BLOCK.test(each) && paired.size ? each : `<p>${each.replace(/\n/g, "<br>")}</p>`)).join("");
}

/** Give what has to be typed to get this HTML: text if that can say it, else the HTML itself. */
export function source(html) {
  const simple = html.replace(/<\/p>\s*<p>/gi, "\n\n").replace(/<br\s*\/?>/gi, "\n").replace(/^<p>|<\/p>$/gi, "");
  const opened = html.replace(/<\/p>\s*(?=<)/gi, "\n\n").replace(/<p>/gi, "").replace(/<br\s*\/?>/gi, "\n").trim();
  const typed = [plain(simple), simple, plain(opened), opened];
  return typed.find((each) => asHtml(each) === html) ?? html;
}

/** Read HTML as text. */
export function asText(html) {
  return new DOMParser().parseFromString(html.replace(/<\/p>|<br\s*\/?>/gi, "$&\n"), "text/html").body.textContent.trim();
}

// The names of tags that are both opened and closed, and of those that never are closed.
function pairs(text) {
  const [opened, closed] = [new Set(), new Set()];
  for (const [, end, name] of text.matchAll(_TAG)) (end ? closed : opened).add(name.toLowerCase());
  return new Set([...opened].filter((each) => _KEPT.has(each) && (_VOID.has(each) || closed.has(each))));
}

function kept(text, paired) {
  const parts = [];
  let end = 0;
  for (const found of text.matchAll(_TAG)) {
    if (!paired.has(found[2].toLowerCase())) continue;
    parts.push(withEntities(text.slice(end, found.index)), found[0]);
    end = found.index + found[0].length;
  }
  return [...parts, withEntities(text.slice(end))].join("");
}

const withEntities = (text) => text.replace(_ENTITY, "&amp;").replace(/[<>\u00a0]/g, (each) => _CHARACTERS[each]);
const escaped = (text) => text.replace(/[&<>\u00a0]/g, (each) => _CHARACTERS[each]);
const plain = (html) => html.replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&nbsp;/g, "\u00a0").replace(/&amp;/g, "&");
