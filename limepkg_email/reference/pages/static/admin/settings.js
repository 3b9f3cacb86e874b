// Settings: what is set, by whom, and changing what may be changed here.

import { get, put } from "../api.js";
import { h } from "../element.js";
import { complain, tell } from "../notice.js";
import { fill, load } from "./place.js";

const changed = new Map();
const bar = h("div", { class: "save-bar", hidden: true }, h("span", { class: "quiet small", role: "status" }), h("button", { type: "button", class: "plain", onclick: () => { changed.clear(); show(); } }, "Undo"), h("button", { type: "button", onclick: save }, "Save"));
const faults = new Map();

function draw({ items }) {
  faults.clear();
  const editable = items.filter((each) => each.editable);
  const fixed = items.filter((each) => !each.editable);
  fill(
    h("section", { class: "block" }, h("h2", {}, "Can be changed here"), h("div", { class: "card settings" }, editable.map(setting))),
    bar,
    h("section", { class: "block" }, h("h2", {}, "Set by whoever runs the CRM"), h("div", { class: "card settings" }, fixed.map(setting))),
  );
  count();
}

function setting(each) {
  const help = h("p", { class: "help", id: `help-${each.name}` }, each.help.split("`").map((part, at) => (at % 2 ? h("code", {}, part) : part)));
  const fault = h("p", { class: "fault", hidden: true, id: `fault-${each.name}`, role: "alert" });
  faults.set(each.name, fault);
  const row = h(
    "div",
    { class: "setting" },
    h("div", {}, h("h3", {}, h("label", { for: `value-${each.name}` }, each.title)), help, source(each), fault),
    h("div", { class: "setting-value" }, each.editable ? control(each, (value) => { note(each, value); row.classList.toggle("changed", changed.has(each.name)); }) : shown(each)),
  );
  return row;
}

function source(each) {
  const words = { default: "Default", environment: "Set by the operator", administrator: "Set by an administrator" };
  const back = each.editable && each.source === "administrator"
    ? h("button", { type: "button", class: "link-button", onclick: () => { changed.set(each.name, null); save(); } }, "Take back")
    : null;
  return h("p", { class: "source" }, words[each.source] ?? each.source, " · ", h("code", {}, each.name), back);
}

function control(each, change) {
  const base = { id: `value-${each.name}`, "aria-describedby": `help-${each.name} fault-${each.name}` };
  if (each.type === "boolean" || typeof each.value === "boolean" || typeof each.default === "boolean") {
    return h("input", { ...base, type: "checkbox", class: "switch", role: "switch", checked: Boolean(each.value), onchange: (event) => change(event.target.checked) });
  }
  if (typeof each.value === "number" || typeof each.default === "number" || ["integer", "number", "float"].includes(each.type)) {
    return h("input", { ...base, type: "number", step: "any", min: each.least, max: each.most, value: each.value ?? "", oninput: (event) => change(event.target.value === "" ? null : Number(event.target.value)) });
  }
  if (each.value !== null && typeof each.value === "object") {
    return h("textarea", { ...base, rows: "4", spellcheck: "false", value: JSON.stringify(each.value, null, 2), oninput: (event) => {
      try {
        change(JSON.parse(event.target.value));
        event.target.removeAttribute("aria-invalid");
      } catch {
        event.target.setAttribute("aria-invalid", "true");
      }
    } });
  }
  return h("input", { ...base, type: "text", value: each.value ?? "", oninput: (event) => change(event.target.value) });
}

function shown(each) {
  if (each.secret) return h("span", { class: `badge badge-${each.is_set ? "success" : "warning"}` }, each.is_set ? "Is set" : "Not set");
  if (each.value === null || each.value === "") return h("span", { class: "quiet" }, "nothing");
  if (typeof each.value === "boolean") return each.value ? "Yes" : "No";
  return h("code", {}, typeof each.value === "object" ? JSON.stringify(each.value) : String(each.value));
}

function note(each, value) {
  mark(each.name, "");
  if (JSON.stringify(value) === JSON.stringify(each.value)) changed.delete(each.name);
  else changed.set(each.name, value);
  count();
}

function count() {
  bar.hidden = !changed.size;
  bar.classList.remove("refused");
  bar.firstChild.textContent = changed.size === 1 ? "One change is not saved" : `${changed.size} changes are not saved`;
}

async function save() {
  faults.forEach((fault, name) => mark(name, ""));
  try {
    const answer = await put("settings/", Object.fromEntries(changed));
    changed.clear();
    draw(answer);
    tell("Saved. Other processes follow within ten seconds.");
  } catch (error) {
    const refused = Object.entries(error.errors?.json ?? error.errors ?? {}).filter(([name]) => faults.has(name));
    refused.forEach(([name, sentences]) => mark(name, [sentences].flat(3).join(" ")));
    if (refused.length) lead(refused.map(([name]) => name));
    else complain(error);
  }
}

/** Say at a setting what is wrong with it; nothing takes that back. */
function mark(name, sentence) {
  const fault = faults.get(name);
  fault.textContent = sentence;
  fault.hidden = !sentence;
  const input = document.getElementById(`value-${name}`);
  if (sentence) input?.setAttribute("aria-invalid", "true");
  else input?.removeAttribute("aria-invalid");
}

/** Go to the first setting, in the page's order, that was refused. */
function lead(names) {
  const first = [...faults.keys()].find((each) => names.includes(each));
  const input = document.getElementById(`value-${first}`);
  input?.focus({ preventScroll: true });
  input?.closest(".setting").scrollIntoView({ block: "center" });
  bar.classList.add("refused");
  bar.firstChild.textContent = names.length === 1 ? "Nothing is saved: one value is refused" : `Nothing is saved: ${names.length} values are refused`;
}

addEventListener("beforeunload", (event) => changed.size && event.preventDefault());
const show = () => load(() => get("settings/"), draw);
show();
