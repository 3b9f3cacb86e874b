/** What the list of templates is made of. */

import { Template } from '../../services/email-api/templates';

/** In the order in which people meet them. */
export const PURPOSES = ['message', 'autoreply', 'relay'];

/** Count the templates that were not there before. */
export function countNew(before: readonly Template[], after: readonly Template[]): number {
  const known = new Set(before.map((each) => each.id));
  return after.filter((each) => !known.has(each.id)).length;
}
