// The place that a page of the administration fills, and what stands there meanwhile.

import { empty, h } from "../element.js";

const page = document.getElementById("page");

/** Put controls beside the page's title. */
export function tools(...controls) {
  document.getElementById("tools").replaceChildren(...controls);
}

/** Show content in the page. */
export function fill(...content) {
  page.replaceChildren(...content.flat().filter(Boolean));
  page.setAttribute("aria-busy", "false");
}

/** Load something and show it, or why that failed, with a way to try again. */
export async function load(read, draw) {
  page.setAttribute("aria-busy", "true");
  try {
    draw(await read());
  } catch (error) {
    fill(sorry(error, () => load(read, draw)));
  }
}

/** Make what is shown instead of what could not be loaded. */
export function sorry(error, again) {
  if (error.status === 404) {
    return empty("gear", "This installation cannot do that yet", "Its version of the email package has no endpoint for this page.");
  }
  const button = h("button", { type: "button", class: "plain", onclick: again }, "Try again");
  return empty("warning", "This could not be loaded", error.message, button);
}

/** Make buttons of which one is pressed. */
export function segments(label, choices, chosen, choose) {
  const all = Object.entries(choices).map(([value, text]) =>
    h("button", { type: "button", "aria-pressed": String(value === chosen), onclick: (event) => press(event.target, value) }, text));
  function press(button, value) {
    for (const each of all) each.setAttribute("aria-pressed", String(each === button));
    choose(value);
  }
  return h("div", { class: "segments", role: "group", "aria-label": label }, all);
}
