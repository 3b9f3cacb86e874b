/** Going to a page that is none of the CRM's, and knowing on return why. */

/** Go to an address of the web in this tab; anything that is no web address is refused. */
export function leaveFor(
  address: string,
  location: Pick<Location, 'assign'> = window.location,
): void {
  const { protocol } = new URL(address);
  if (protocol !== 'https:' && protocol !== 'http:') {
    throw new Error(`Not an address of the web: ${protocol}`);
  }
  location.assign(address);
}

/** Give the path of this page, to return to. */
export function here(): string {
  const { pathname, search } = window.location;
  const path = pathname + search;
  // Longer ones are refused by the server; the page without its query is better than none.
  return path.length > 500 || /\s/.test(path) ? pathname : path;
}

/** Note something for this page when it is open again in this tab. */
export function leaveNote(name: string, note: object): void {
  try {
    window.sessionStorage.setItem(name, JSON.stringify(note));
  } catch {
    // Storage is refused in some browsers: the page then says less.
  }
}

/** Give what was noted, once. */
export function takeNote(name: string): Record<string, unknown> | undefined {
  try {
    const noted = window.sessionStorage.getItem(name);
    window.sessionStorage.removeItem(name);
    const found: unknown = noted ? JSON.parse(noted) : undefined;
    return typeof found === 'object' && found !== null
      ? (found as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
