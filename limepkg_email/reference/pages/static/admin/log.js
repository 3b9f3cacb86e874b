// The log, who changed what, and jobs that were set aside.

import { get, post } from "../api.js";
import { confirmed } from "../dialog.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { moment } from "../time.js";
import { chosen, many } from "./chosen.js";
import { listing } from "./listing.js";
import { segments, tools } from "./place.js";

const _VIEWS = { log: "Log", audit: "Changes", jobs: "Jobs" };

const when = { title: "When", kind: "when", cell: (item) => moment(item.at ?? item.finished_at ?? item.created_at) };

const views = {
  log() {
    const level = h("select", { "aria-label": "Level", onchange: () => list.reload({ level: level.value }) }, [["", "All levels"], ["error", "Errors"], ["warning", "Warnings"], ["info", "Information"]].map(([value, text]) => h("option", { value }, text)));
    const list = listing({
      path: "log/",
      label: "Log",
      columns: [
        { title: "Level", cell: (item) => h("span", { class: `badge badge-${item.level}` }, item.level) },
        { title: "What happened", cell: (item) => [item.text, h("span", { class: "cell-sub" }, [item.code, item.account].filter(Boolean).join(" · "))] },
        when,
      ],
      nothing: () => empty("check", "Nothing to report", `What goes wrong, or needs somebody, is written here${kept ? ` and kept for ${many(kept, "day")}` : ""}.`),
    });
    return [level];
  },
  audit() {
    listing({
      path: "audit/",
      label: "Changes",
      columns: [
        { title: "Who", cell: (item) => item.user_name || "The system" },
        { title: "What", cell: (item) => [h("code", {}, item.action), " ", h("span", { class: "quiet" }, [item.subject, item.subject_id].filter(Boolean).join(" ")), changes(item)] },
        when,
      ],
      nothing: () => empty("pen", "Nobody changed anything yet", "What administrators do is written here, without secrets."),
    });
    return [];
  },
  jobs() {
    const again = h("button", { type: "button", class: "plain", onclick: () => retry(null, list) }, icon("resend"), "Try all again");
    const list = listing({
      path: "jobs/",
      label: "Failed jobs",
      before: ({ counts, total }) => {
        again.disabled = !total;
        return h("div", { class: "facts" }, Object.entries(counts).map(([state, count]) => h("div", { class: `fact ${state === "failed" ? (count ? "some" : "zero") : ""}` }, h("strong", {}, String(count)), h("span", {}, state))));
      },
      columns: [
        { title: "Job", cell: (item) => [h("code", {}, item.task), h("span", { class: "cell-sub" }, item.reason)] },
        { title: "Attempts", kind: "number-cell", cell: (item) => String(item.attempts) },
        when,
        { title: "", kind: "side", cell: (item) => h("button", { type: "button", class: "plain small", onclick: () => retry([item.id], list) }, "Try again") },
      ],
      nothing: () => empty("check", "No job has failed", "A job that fails again and again is set aside here."),
    });
    return [again];
  },
};

function changes({ before, after }) {
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  if (!names.length) return null;
  return h("dl", { class: "changes" }, names.map((name) => [
    h("dt", {}, name),
    h("dd", {}, before && name in before ? h("del", {}, said(before[name])) : null, before && after ? " " : null, after && name in after ? h("ins", {}, said(after[name])) : null),
  ]));
}

function said(value) {
  if (value === null || value === "") return "nothing";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

async function retry(ids, list) {
  if (!ids && !(await confirmed("Try all failed jobs again?", "Each of them begins from the start.", { action: "Try again" }))) return;
  try {
    const { retried } = await post("jobs/retry/", ids ? { ids } : {});
    tell(retried === 1 ? "One job is tried again." : `${retried} jobs are tried again.`);
  } catch (error) {
    complain(error);
  }
  list.reload();
}

function choose(name) {
  history.replaceState(null, "", `#${name}`);
  tools(bar, ...views[name]());
}

addEventListener("hashchange", () => location.reload());
const first = location.hash.slice(1) in views ? location.hash.slice(1) : "log";
const { log_retention: kept } = await chosen().catch(() => ({}));
const bar = segments("View", _VIEWS, first, choose);
choose(first);
