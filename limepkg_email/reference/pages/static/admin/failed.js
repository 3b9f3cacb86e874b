// Mails that could not be imported: why, how often it was tried, and what to do about them.

import { address, get, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { accounts, accountSelect } from "./accounts.js";
import { listing } from "./listing.js";
import { fill, load, tools } from "./place.js";

const _LOOKED_AT = 30; // accounts, to begin with one of which a mail failed
const _DONE = new Set(["queued", "discarded"]);

const chosen = new Set();
const titles = new Map(); // what each mail on the page is called
let list;

const again = h("button", { type: "button", onclick: () => act("retry", [...chosen]) }, icon("resend"), "Try again");
const drop = h("button", { type: "button", class: "plain danger", onclick: () => discard([...chosen]) }, "Discard");
const bulk = h("div", { class: "tools", hidden: true }, h("span", { class: "quiet small", role: "status" }), again, drop);

function mark() {
  bulk.hidden = !chosen.size;
  bulk.firstChild.textContent = `${chosen.size} chosen`;
}

function box(item) {
  const made = h("input", { type: "checkbox", checked: chosen.has(item.id), "aria-label": `Choose ${item.subject || "the mail without subject"}` });
  made.addEventListener("change", () => {
    if (made.checked) chosen.add(item.id);
    else chosen.delete(item.id);
    mark();
  });
  return made;
}

async function discard(ids) {
  const many = ids.length === 1 ? "this mail" : `these ${ids.length} mails`;
  if (await confirmed("Discard?", `Nothing tries to import ${many} again. The mailbox keeps what lies in it.`, { action: "Discard", danger: true })) await act("discard", ids);
}

function done(what, count) {
  const one = count === 1;
  if (what === "discard") return one ? "The mail is discarded." : `${count} mails are discarded.`;
  return one ? "The mail is tried again; it goes from the list when it is imported." : `${count} mails are tried again; those that are imported go from the list.`;
}

async function act(what, ids) {
  try {
    const { items } = await post(`failed-messages/${what}/`, { ids });
    const other = items.filter((each) => !_DONE.has(each.outcome));
    if (other.length < items.length) tell(done(what, items.length - other.length));
    if (other.length) complain(new Error(other.map((each) => `${titles.get(each.id) ?? `Mail ${each.id}`}: ${each.message || each.outcome}`).join("\n")));
  } catch (error) {
    complain(error);
  }
  chosen.clear();
  mark();
  list.reload();
}

function show(account) {
  list = listing({
    path: `failed-messages/${account}/`,
    label: "Failed messages",
    columns: [
      { title: "", kind: "check-cell", cell: box },
      { title: "Mail", cell: (item) => titles.set(item.id, item.subject || "(no subject)") && [h("strong", {}, item.subject || "(no subject)"), h("span", { class: "cell-sub" }, item.sender)] },
      { title: "Reason", cell: (item) => [item.reason, h("span", { class: "cell-sub" }, times(item.attempts), item.next_try ? [", next try ", moment(item.next_try)] : null, item.in_failed_folder ? ", lies in the failed folder" : null)] },
      { title: "Last try", kind: "when", cell: (item) => moment(item.failed_at) },
      { title: "", kind: "side", cell: actions },
    ],
    nothing: () => empty("check", "No mail has failed", "A mail that cannot become a message comes here, with the reason, and is never lost."),
  });
}

function actions(item) {
  return h(
    "span",
    { class: "row-actions" },
    h("button", { type: "button", class: "plain small", onclick: () => act("retry", [item.id]) }, "Try again"),
    h("a", { class: "button plain small", href: address(`failed-message/${item.id}/raw`), download: "", title: "Download the mail as it came" }, icon("down"), h("span", { class: "hidden" }, "Download the mail")),
    h("button", { type: "button", class: "plain small danger", "aria-label": "Discard", title: "Discard", onclick: () => discard([item.id]) }, icon("trash")),
  );
}

function times(attempts) {
  return attempts === 1 ? "tried once" : `tried ${attempts} times`;
}

/** Give the accounts, and the first of them with a failed mail. */
async function read() {
  const all = await accounts();
  if (new URLSearchParams(location.search).has("account")) return { all };
  for (const each of all.slice(0, _LOOKED_AT)) {
    const { total } = await get(`failed-messages/${each.id}/`, { limit: 1 });
    if (total) return { all, first: each.id };
  }
  return { all };
}

load(read, ({ all, first }) => {
  if (!all.length) {
    fill(empty("mail", "No account is connected", "Connect a mailbox first, under Email accounts."));
    return;
  }
  const select = accountSelect(all, (id) => { chosen.clear(); mark(); show(id); });
  if (first) select.value = String(first);
  tools(bulk, select);
  show(select.value);
});
