// The reports of recoveries: reading enough of them, and which of them are the last run's.

import { get } from "../api.js";

const _PAGE = 200;
const _MOST_PAGES = 10;

/** The reports as they are read, the newest first; `next()` reads more of them. */
export class Reports {
  items = [];
  total = 0;

  #read = 0;

  get complete() {
    return this.#read >= this.total;
  }

  async next() {
    const { items, total } = await get("recovery/report/", { limit: _PAGE, offset: this.#read });
    this.#read += items.length;
    this.total = items.length ? total : this.#read;
    // A report that came since moves the others on, so that some are read twice.
    const known = new Set(this.items.map((each) => each.id));
    this.items.push(...items.filter((each) => !known.has(each.id)));
  }

  /** Read until each of these accounts has had its turn. */
  async reach(accounts) {
    const left = new Set(accounts);
    for (let page = 0; page < _MOST_PAGES; page += 1) {
      await this.next();
      this.items.forEach((each) => left.delete(each.account));
      if (!left.size || this.complete) return;
    }
  }
}

/**
 * Give the reports of the run that reported last, one for each account.
 *
 * Reports of the schedule do not say which of its runs they are of: one run looks once through each
 * account, so an account's second report is of the run before. Accounts that were removed cannot be
 * told from each other there, and are left out.
 */
export function lastRun(items) {
  const run = items[0]?.run;
  const found = [];
  const seen = new Set();
  for (const each of items) {
    if (each.run !== run) continue;
    if (run) found.push(each);
    else if (seen.has(each.account)) break;
    else if (each.account !== null) found.push(each);
    if (each.account !== null) seen.add(each.account);
  }
  return found;
}

/** Give the newest report of each account that is connected. */
export function latest(items) {
  const found = new Map();
  for (const each of items) {
    if (each.account !== null && !found.has(each.account)) found.set(each.account, each);
  }
  return [...found.values()];
}

/** Tell how much a report needs somebody: the more, the sooner it is shown. */
export const trouble = (each) => (each.unaccounted ? 3 : each.error ? 2 : each.failed ? 1 : 0);
