// Recovery: start it, watch it, and the report that says whether every mail is accounted for.

import { get, post } from "../api.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { accounts, named } from "./accounts.js";
import { fill, load, tools } from "./place.js";
import { follow } from "./run.js";

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

function draw(answer) {
  const reports = answer.items ?? answer.accounts ?? answer.reports ?? [];
  fill(place, reports.length ? [facts(reports), ...reports.map(card)] : empty("refresh", "No recovery has run yet", "It looks through every mailbox, imports what was missed, and counts every mail. It runs by itself every 20 minutes."));
}

function facts(reports) {
  const sum = (name) => reports.reduce((total, each) => total + (each[name] ?? 0), 0);
  const fact = (name, text, kind = "") => h("div", { class: `fact ${kind}` }, h("strong", {}, String(sum(name))), h("span", {}, text));
  const bad = (name) => (sum(name) ? "some" : "zero");
  return h("div", { class: "facts" }, fact("listed", "mails listed by the mailboxes"), fact("imported", "imported by the last recovery"), fact("failed", "failed", sum("failed") ? "some" : ""), fact("unaccounted", "unaccounted", bad("unaccounted")));
}

function card(each) {
  const counts = _COUNTS.filter(([name]) => name in each && name !== "unaccounted");
  return h(
    "section",
    { class: "card report" },
    h(
      "div",
      { class: "report-head" },
      h("h2", {}, names.get(each.account) || each.email || String(each.account)),
      h("span", { class: "unaccounted" }, h("span", { class: `badge badge-${each.unaccounted ? "failed" : "success"}` }, `${each.unaccounted} unaccounted`)),
      h("span", { class: "when" }, "Finished ", moment(each.finished_at)),
    ),
    each.error && h("p", { class: "fault" }, icon("warning"), each.error),
    h("dl", { class: "counts" }, counts.map(([name, text]) => h("div", { class: each[name] ? null : "none" }, h("dt", {}, text), h("dd", {}, String(each[name]))))),
  );
}

async function read() {
  names = new Map((await accounts()).map((each) => [each.id, named(each)]));
  return get("recovery/report/");
}

const show = () => load(read, draw);
tools(button);
show();
