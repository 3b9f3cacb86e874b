/** Mail addresses as people type and paste them. */

export interface Address {
  email: string;
  name: string;
}

// What is certainly wrong shows at once; the server has the last word when it sends.
const ADDRESS = /^[^\s@<>(),;:"\\[\]]+@[^\s@<>(),;:"\\[\]]+\.[^\s@<>(),;:"\\[\].]+$/u;
const LONGEST = 254;

/** Tell whether a text can be an address. */
export function isAddress(text: string): boolean {
  return text.length <= LONGEST && ADDRESS.test(text) && !/^\.|\.\.|\.@|@\./.test(text);
}

/**
 * Read a pasted list: `"Berg, Ann" <ann@x.se>, bo@y.se; Cia <cia@z.se>`, also one a line.
 *
 * Each address comes once. What is none stays in the list as it is, so that it can be shown as
 * wrong instead of being lost; `isAddress` tells.
 */
export function parseAddresses(text: string): Address[] {
  const found = new Map<string, Address>();
  for (const part of split(text)) {
    const address = parseAddress(part);
    const key = address.email.toLowerCase();
    const before = found.get(key);
    if (key && (!before || (!before.name && address.name))) {
      found.set(key, address);
    }
  }
  return [...found.values()];
}

/** Write an address the way `parseAddresses` reads it. */
export function formatAddress({ email, name }: Address): string {
  if (!name) {
    return email;
  }
  const plain = /^[\p{L}\p{N} .'_-]+$/u.test(name);
  return `${plain ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${email}>`;
}

function parseAddress(part: string): Address {
  const [, name = '', inAngles] = /^(.*?)\s*<\s*(?:mailto:)?([^<>]*?)\s*>$/isu.exec(part) ?? [];
  if (inAngles !== undefined) {
    return { email: inAngles, name: unquoted(name) };
  }
  return { email: part.replace(/^mailto:/i, ''), name: '' };
}

function unquoted(name: string): string {
  const inner = /^"(.*)"$|^'(.*)'$/s.exec(name.trim());
  return (inner?.[1] ?? inner?.[2] ?? name).replace(/\\(.)/g, '$1').replace(/\s+/g, ' ').trim();
}

/** Split at commas, semicolons and line ends that are neither quoted nor in angle brackets. */
function split(text: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  let inAngles = false;
  for (let at = 0; at < text.length; at++) {
    const each = text.charAt(at);
    if (each === '\\' && quoted) {
      part += each + text.charAt(++at);
      continue;
    }
    // A lone quotation mark must not swallow the rest of the list.
    if (each === '"' && (quoted || text.indexOf('"', at + 1) > 0)) {
      quoted = !quoted;
    } else if (!quoted && (each === '<' || each === '>')) {
      inAngles = each === '<';
    }
    const ends = /[\r\n]/.test(each) || (/[,;]/.test(each) && !inAngles);
    if (ends && !quoted) {
      parts.push(...loose(part));
      part = '';
      inAngles = false;
    } else {
      part += each;
    }
  }
  parts.push(...loose(part));
  return parts;
}

/** A part may be several bare addresses with nothing but spaces between them. */
function loose(part: string): string[] {
  const words = part.trim().split(/\s+/).filter(Boolean);
  const bare = words.length > 1 && words.every((each) => isAddress(each));
  return bare ? words : words.length ? [part.trim()] : [];
}
