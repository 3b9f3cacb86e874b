// Extensions: what each of them does, and a switch.

import { get, put } from "../api.js";
import { empty, h } from "../element.js";
import { complain, tell } from "../notice.js";
import { fill, load } from "./place.js";

function draw({ items }) {
  if (!items.length) {
    fill(empty("filter", "No extension is installed", "Packages can filter mail, act on it, or change how it looks. They are found by themselves once they are installed."));
    return;
  }
  fill(items.map(card));
}

function card(each) {
  const name = `extension-${each.name}`;
  const box = h("input", { type: "checkbox", class: "switch", role: "switch", checked: each.enabled, "aria-labelledby": name, onchange: () => change(each, box) });
  return h(
    "section",
    { class: "card" },
    h("div", { class: "with-avatar" }, h("h2", { id: name }, each.name), h("span", { class: "tools" }, box)),
    offered("Filters", each.filters),
    offered("Actions", each.actions),
    each.hooks.length > 0 && h("p", { class: "quiet small" }, "Hooks: ", each.hooks.map((hook, at) => [at ? ", " : "", h("code", {}, hook)])),
  );
}

function offered(title, all) {
  if (!all.length) return null;
  return [h("h3", {}, title), h("dl", {}, all.map((each) => [h("dt", {}, h("code", {}, each.name)), h("dd", {}, each.description)]))];
}

async function change(each, box) {
  try {
    await put("extension/", { name: each.name, enabled: box.checked });
    tell(`${each.name} is switched ${box.checked ? "on" : "off"}.`);
  } catch (error) {
    box.checked = !box.checked;
    complain(error);
  }
}

load(() => get("extension/"), draw);
