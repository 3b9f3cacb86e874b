/** What the text of a message says about itself. */

// Whole words of the languages that the product speaks, beginning as these do.
const SPEAKS_OF_FILES =
  /(?<![\p{L}\d])(attach(ed|ment|ments|ing|es)?|enclosed|enclosing|enclosure|bifoga\p{L}*|bilag\p{L}*|bifogat)(?![\p{L}\d])/iu;
const MARK = /\[([a-z_]+(?:\.[a-z_]+)*)\?\]/g;

/** Give the text of html, without what it quotes. */
export function textOf(html: string): string {
  return html
    .replace(/<blockquote[\s\S]*?(<\/blockquote>|$)/gi, ' ')
    .replace(/<(style|script)[\s\S]*?<\/\1>/gi, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&nbsp;|&#160;/g, ' ')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Tell whether html shows nothing at all. */
export function isEmpty(html: string): boolean {
  return !textOf(html) && !/<(img|table|hr)\b/i.test(html) && !/<blockquote\b/i.test(html);
}

/** Tell whether the text speaks of a file that goes along. */
export function speaksOfFiles(html: string): boolean {
  return SPEAKS_OF_FILES.test(textOf(html));
}

/** Give the names of values that a template had no value for and that are still marked. */
export function missingValues(html: string): string[] {
  return [...new Set(Array.from(html.matchAll(MARK), (each) => each[1] ?? ''))];
}

/** Give how many bytes the pictures within html have. */
export function bytesOfPictures(html: string): number {
  const found = html.matchAll(/src="data:image\/[a-z+]+;base64,([^"]*)"/gi);
  return Array.from(found).reduce(
    (sum, each) => sum + Math.floor(((each[1] ?? '').length * 3) / 4),
    0,
  );
}

/** Give the subject of an answer. */
export function replySubject(subject: string): string {
  return /^\s*(re|sv)\s*:/i.test(subject) || !subject.trim() ? subject : `Re: ${subject}`;
}
