// The round picture of a person: initials on a colour that follows from the name.

import { h } from "./element.js";

/** Give the letters that stand for a person; the server makes the same ones. */
export function initials(name) {
  const words = name.split(/\s+/).filter((each) => /^[\p{L}\p{N}]/u.test(each));
  const chosen = words.length < 2 ? words : [words[0], words.at(-1)];
  return chosen.map((each) => [...each][0]).join("").toUpperCase() || "?";
}

/** Make the picture. */
export function avatar(name) {
  const hue = [...name].reduce((sum, each) => sum + each.codePointAt(0), 0) % 8;
  return h("span", { class: `avatar hue-${hue}`, "aria-hidden": "true" }, initials(name));
}
