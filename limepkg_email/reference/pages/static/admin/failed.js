// Mails that could not be imported: why, how often it was tried, and what to do about them.

import { address, get, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { accounts, accountSelect } from "./accounts.js";
import { listing } from "./listing.js";
import { fill, load, tools } from "./place.js";
import { ARRIVED, receipts, settled } from "./retrying.js";

const _LOOKED_AT = 30; // accounts, to begin with one of which a mail failed

const trying = new Set(); // mails for which the answer is not known yet
const chosen = new Set();
const titles = new Map(); // what each mail on the page is called
let list;

const again = h("button", { type: "button", onclick: () => retry([...chosen]) }, icon("resend"), "Try again");
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
  if (!(await confirmed("Discard?", `Nothing tries to import ${many} again. The mailbox keeps what lies in it.`, { action: "Discard", danger: true }))) return;
  await ask("discard", ids, ({ items }) => {
    const done = items.filter((each) => each.outcome === "discarded").length;
    if (done) tell(done === 1 ? "The mail is discarded." : `${done} mails are discarded.`);
    refuse(items.filter((each) => each.outcome !== "discarded"));
  });
}

/** Try mails again, and say of each what became of it; the list follows. */
async function retry(ids) {
  ids.forEach((id) => trying.add(id));
  const before = await receipts(ids);
  await ask("retry", ids, async ({ items }) => {
    list.reload();
    const came = items.filter((each) => ARRIVED.has(each.outcome));
    const waiting = items.filter((each) => each.outcome === "queued" && before.has(each.id)).map((each) => each.id);
    const found = await settled(waiting, before);
    const imported = came.length + found.filter((each) => ARRIVED.has(each.disposition)).length;
    if (imported) tell(imported === 1 ? "The mail is imported." : `${imported} mails are imported.`);
    const late = waiting.length - found.length;
    if (late) tell(`${late === 1 ? "One mail is" : `${late} mails are`} still being tried, and will go from the list when imported.`);
    const failed = found.filter((each) => !ARRIVED.has(each.disposition)).map((each) => ({ id: each.id, message: each.reason, outcome: each.disposition }));
    refuse([...failed, ...items.filter((each) => each.outcome !== "queued" && !ARRIVED.has(each.outcome))]);
  });
}

/** Ask for something to be done with mails; the list is read again in any case. */
async function ask(what, ids, told) {
  chosen.clear();
  mark();
  try {
    await told(await post(`failed-messages/${what}/`, { ids }));
  } catch (error) {
    complain(error);
  }
  ids.forEach((id) => trying.delete(id));
  list.reload();
}

/** Say why something was not done. */
function refuse(items) {
  if (items.length) complain(new Error(items.map((each) => `${titles.get(each.id) ?? `Mail ${each.id}`}: ${each.message || each.outcome}`).join("\n")));
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
    h("button", { type: "button", class: "plain small", disabled: trying.has(item.id), onclick: () => retry([item.id]) }, trying.has(item.id) ? "Trying …" : "Try again"),
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
