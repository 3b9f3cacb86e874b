// Setup: what is there, what is missing, doing it, and what was done.

import { get, post } from "../api.js";
import { h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { fill, load } from "./place.js";

let report = null;

function draw(state) {
  fill(reported(), plan(state), engine(state.engine));
}

function plan(state) {
  if (state.problem) {
    return h("section", { class: "card" }, h("h2", {}, "Setup cannot go on"), h("p", { class: "fault" }, state.problem));
  }
  const webhook = state.engine.reachable && state.engine.webhook_registered === false;
  if (state.installed && !state.steps.length && state.engine.webhook_url && state.engine.webhook_registered === null) return unknown();
  if (state.installed && !state.steps.length && !webhook) {
    return h("section", { class: "card" }, h("p", { class: "good" }, icon("check"), "Everything is set up."), h("p", { class: "quiet" }, "Setup can be run again at any time: it does only what is missing, and never removes or renames anything."));
  }
  const run = h("button", { type: "button", onclick: () => start(run) }, "Set up now");
  const steps = state.steps.length
    ? h("ol", { class: "steps" }, state.steps.map((each) => h("li", {}, each)))
    : h("p", {}, "The webhook has to be registered with EmailEngine.");
  return h("section", { class: "card" }, h("h2", {}, state.steps.length === 1 ? "One step is left" : `${state.steps.length || "Some"} steps are left`), steps, h("p", { class: "form-end" }, run));
}

/** Make what stands there while EmailEngine does not say what it knows. */
function unknown() {
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "The CRM is set up"),
    h("p", {}, "Whether the webhook is registered is not known, because EmailEngine does not answer. Ask again when it does."),
    h("p", { class: "form-end" }, h("button", { type: "button", onclick: () => show() }, "Ask again")),
  );
}

async function start(button) {
  button.disabled = true;
  button.textContent = "Setting up …";
  try {
    report = await post("setup/", {});
    tell(report.unfinished ? "Not everything could be done." : "Setup is done.");
    await show();
  } catch (error) {
    complain(error);
    button.disabled = false;
    button.textContent = "Set up now";
  }
}

function reported() {
  if (!report) return null;
  return h(
    "section",
    { class: "card", "aria-label": "What was done" },
    h("h2", {}, "What was done"),
    report.steps.length ? h("ol", { class: "steps" }, report.steps.map((each) => h("li", {}, each))) : h("p", {}, "Nothing was missing."),
    report.unfinished && h("p", { class: "note" }, icon("warning"), report.unfinished),
  );
}

function engine(state) {
  const lines = [
    state_line(state.reachable, "EmailEngine answers", "EmailEngine cannot be reached"),
    state_line(state.licensed, "Its licence is in order", "Its licence has ended: it has stopped working", "Whether its licence is in order is not known"),
    state_line(state.webhook_registered, "It tells this CRM of new mail", "It does not tell this CRM of new mail yet", "Whether it tells this CRM of new mail is not known"),
  ];
  return h(
    "section",
    { class: "card" },
    h("h2", {}, "EmailEngine"),
    h("ul", { class: "states" }, lines),
    state.message && h("p", { class: "note" }, icon("warning"), state.message),
    state.webhook_url && h("p", { class: "quiet small" }, "Webhook: ", h("code", {}, state.webhook_url)),
  );
}

function state_line(value, yes, no, unknown = no) {
  const [kind, symbol, text] = value ? ["yes", "check", yes] : value === false ? ["no", "close", no] : ["maybe", "warning", unknown];
  return h("li", { class: kind }, icon(symbol), h("span", {}, text));
}

const show = () => load(() => get("setup/"), draw);
show();
