// A list from an endpoint, in pages: `{items, total}`.

import { get } from "../api.js";
import { h } from "../element.js";
import { complain } from "../notice.js";
import { fill, sorry } from "./place.js";

const _PAGE = 50;

/**
 * Show a list; `columns` are `{title, cell(item), kind}`, `nothing()` makes what an empty one shows.
 *
 * Gives `{reload}`; `before` is content above the table, drawn with the answer.
 */
export function listing({ path, query = {}, columns, nothing, before, into = fill, label }) {
  let asked = query;
  let body;
  let shown = 0;
  let last = null;

  async function reload(changed = {}) {
    asked = { ...asked, ...changed };
    try {
      const answer = await get(path, { ...asked, limit: _PAGE });
      draw(answer);
    } catch (error) {
      into(sorry(error, reload));
    }
  }

  function draw(answer) {
    const restore = focusKept();
    show(answer);
    restore();
  }

  function show(answer) {
    shown = answer.items.length;
    last = answer;
    const above = before?.(answer);
    if (!shown) {
      into(above, nothing(answer));
      return;
    }
    body = h("tbody", {}, answer.items.map(row));
    const table = h("table", { class: "list", "aria-label": label }, h("thead", {}, h("tr", {}, columns.map((each) => h("th", { class: each.kind, scope: "col" }, each.title)))), body);
    const end = h("div", { class: "listing-end" });
    into(above, table, end);
    more(end);
  }

  function more(end) {
    const count = last.total_is_exact === false ? `more than ${last.total}` : last.total;
    const text = h("span", { class: "quiet small" }, shown < last.total ? `${shown} of ${count}` : `${count} in all`);
    end.replaceChildren(text);
    if (shown >= last.total && !last.next) return;
    end.append(h("button", { type: "button", class: "plain small", onclick: () => next(end) }, "Show more"));
  }

  async function next(end) {
    try {
      const from = last.next ? { before: last.next } : { offset: shown };
      const { total } = last;
      last = await get(path, { ...asked, ...from, limit: _PAGE });
      last.total = Math.max(total, last.total);
      shown += last.items.length;
      body.append(...last.items.map(row));
      more(end);
    } catch (error) {
      complain(error);
    }
  }

  function row(item) {
    return h("tr", {}, columns.map((each) => h("td", { class: each.kind, "data-label": each.title || null }, each.cell(item))));
  }

  reload();
  return { reload };
}

/** Give what returns the focus to the control that has it, or to the one that took its place. */
function focusKept() {
  const held = document.activeElement;
  const table = held?.closest("table.list");
  if (!table) return () => {};
  const name = held.getAttribute("aria-label") || held.textContent;
  const same = (all) => [...all.querySelectorAll("button, a, input")].filter((each) => (each.getAttribute("aria-label") || each.textContent) === name);
  const at = same(table).indexOf(held);
  return () => {
    if (held.isConnected) return;
    const now = same(document.getElementById("page"));
    (now[Math.min(at, now.length - 1)] ?? document.getElementById("main")).focus({ preventScroll: true });
  };
}
