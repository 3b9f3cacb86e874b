// Mails that could not be imported: why, how often it was tried, and what to do about them.

import { address, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { accounts, accountSelect } from "./accounts.js";
import { listing } from "./listing.js";
import { fill, load, tools } from "./place.js";

const chosen = new Set();
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

async function act(what, ids) {
  try {
    const { items } = await post(`failed-messages/${what}/`, { ids });
    const bad = items.filter((each) => each.error || each.outcome === "error" || each.ok === false);
    if (bad.length) complain(new Error(`${bad.length} of ${items.length} could not be done.`));
    else tell(what === "retry" ? "They are tried again; what is imported goes from the list." : "They are discarded.");
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
      { title: "Mail", cell: (item) => [h("strong", {}, item.subject || "(no subject)"), h("span", { class: "cell-sub" }, item.sender)] },
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

load(accounts, (all) => {
  if (!all.length) {
    fill(empty("mail", "No account is connected", "Connect a mailbox first, under Email accounts."));
    return;
  }
  const select = accountSelect(all, (id) => { chosen.clear(); mark(); show(id); });
  tools(bulk, select);
  show(select.value);
});
