// Recovery: start it, watch it, and the report that says whether every mail is accounted for.

import { post } from "../api.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { accounts, named } from "./accounts.js";
import { chosen, many } from "./chosen.js";
import { fill, load, tools } from "./place.js";
import { lastRun, latest, Reports, trouble } from "./reports.js";
import { follow } from "./run.js";

const _SHOWN = 20;

const _COUNTS = [
  ["listed", "Listed"],
  ["imported", "Imported"],
  ["recovered", "Recovered"],
  ["known", "Known before"],
  ["second_sightings", "Seen twice"],
  ["filtered", "Filtered"],
  ["own", "Our own"],
  ["too_old", "Too old"],
  ["before_activation", "Before connecting"],
  ["in_grace", "Just arrived"],
  ["failed", "Failed"],
  ["unaccounted", "Unaccounted"],
];

let names = new Map();
const place = h("div", { role: "region", "aria-label": "Progress" });
const button = h("button", { type: "button", onclick: start }, icon("refresh"), "Start recovery");

async function start() {
  button.disabled = true;
  try {
    const { id } = await post("recovery/start/", {});
    const task = await follow(id, place, "Looking through the mailboxes …");
    if (task.status === "FAILURE") complain(new Error(task.reason || "The recovery failed."));
    else tell("The recovery is done.");
  } catch (error) {
    complain(error);
  } finally {
    button.disabled = false;
    show();
  }
}

function draw({ reports, settings }) {
  if (!reports.items.length) {
    fill(place, empty("refresh", "No recovery has run yet", `It looks through every mailbox, imports what was missed, and counts every mail. ${rhythm(settings)}`));
    return;
  }
  const last = lastRun(reports.items);
  const now = new Set(last.map((each) => each.id));
  const first = [...last].sort((one, other) => trouble(other) - trouble(one));
  const earlier = () => reports.items.filter((each) => !now.has(each.id));
  fill(
    place,
    troubles(latest(reports.items).filter((each) => !now.has(each.id) && trouble(each) > 1)),
    last.length ? section("The last recovery", facts(last), pages(() => first, () => first.length)) : null,
    earlier().length || !reports.complete
      ? section("Earlier recoveries", null, pages(earlier, () => reports.total - now.size, reports))
      : null,
    h("p", { class: "quiet small" }, rhythm(settings)),
  );
}

function rhythm({ handle_unprocessed_emails_enabled: runs, recovery_interval: minutes }) {
  return runs ? `It runs by itself every ${many(minutes, "minute")}.` : "It does not run by itself: the scheduled recovery is switched off.";
}

/** Make what tells of mailboxes that the last run did not look through, and that need somebody. */
function troubles(reports) {
  if (!reports.length) return null;
  const lines = reports.map((each) => h("p", {}, `${called(each)}: ${each.unaccounted ? `${each.unaccounted} unaccounted. ` : ""}${each.error}`));
  return h("div", { class: "fault", role: "alert" }, h("p", {}, "The last recovery left out these mailboxes, which had trouble before:"), lines);
}

function section(title, ...content) {
  return h("section", { class: "block" }, h("h2", {}, title), content);
}

/** Make cards of reports, some at a time; `source` is read on when they are all shown. */
function pages(items, total, source = null) {
  const cards = h("div", {});
  const end = h("div", { class: "listing-end" });
  let shown = 0;
  async function more() {
    try {
      while (source && !source.complete && items().length < shown + _SHOWN) await source.next();
    } catch (error) {
      complain(error);
    }
    const next = items().slice(shown, shown + _SHOWN);
    cards.append(...next.map(card));
    shown += next.length;
    end.replaceChildren(h("span", { class: "quiet small" }, shown < total() ? `${shown} of ${total()}` : `${shown} in all`));
    if (shown < total()) end.append(h("button", { type: "button", class: "plain small", onclick: more }, "Show more"));
  }
  more();
  return [cards, end];
}

function facts(reports) {
  const sum = (name) => reports.reduce((total, each) => total + (each[name] ?? 0), 0);
  const fact = (number, text, kind = "") => h("div", { class: `fact ${kind}` }, h("strong", {}, String(number)), h("span", {}, text));
  const stopped = reports.filter((each) => each.error).length;
  // A mailbox that was not read to its end may hold more: that is no reason to be content.
  const settled = stopped ? "" : "zero";
  return h(
    "div",
    { class: "facts" },
    fact(sum("listed"), `mails listed by ${many(reports.length, "account")}`),
    fact(sum("imported"), "imported"),
    fact(sum("failed"), "failed", sum("failed") ? "some" : ""),
    fact(sum("unaccounted"), stopped ? "unaccounted in what was looked at" : "unaccounted", sum("unaccounted") ? "some" : settled),
    stopped ? fact(stopped, stopped === 1 ? "account not looked through" : "accounts not looked through", "some") : null,
  );
}

function called(each) {
  if (each.account === null) return "An account that is not connected any more";
  return names.get(each.account) || `Account ${each.account}`;
}

function verdict(each) {
  if (each.unaccounted) return ["failed", `${each.unaccounted} unaccounted`];
  if (!each.error) return ["success", "0 unaccounted"];
  return ["warning", each.listed ? "Not looked through to its end" : "Nothing was looked at"];
}

function card(each) {
  const counts = _COUNTS.filter(([name]) => name in each && name !== "unaccounted");
  const [kind, text] = verdict(each);
  return h(
    "section",
    { class: "card report" },
    h(
      "div",
      { class: "report-head" },
      h("h3", {}, called(each)),
      h("span", { class: "unaccounted" }, h("span", { class: `badge badge-${kind}` }, text)),
      h("span", { class: "when" }, "Finished ", moment(each.finished_at)),
    ),
    each.error && h("p", { class: "fault" }, icon("warning"), each.error),
    // Of a mailbox that could not be opened there is nothing to count.
    each.error && !each.listed ? null : h("dl", { class: "counts" }, counts.map(([name, words]) => h("div", { class: each[name] ? null : "none" }, h("dt", {}, words), h("dd", {}, String(each[name]))))),
  );
}

async function read() {
  const [all, settings] = await Promise.all([accounts(), chosen()]);
  names = new Map(all.map((each) => [each.id, named(each)]));
  const reports = new Reports();
  await reports.reach(all.filter((each) => each.enabled).map((each) => each.id));
  return { reports, settings };
}

const show = () => load(read, draw);
tools(button);
show();
