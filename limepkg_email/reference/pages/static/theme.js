// Light, dark or what the system says, without loading the page again.

import { announce } from "./notice.js";

const _NEXT = { "": "dark", dark: "light", light: "" };
const _SHOWN = { "": ["as the system", "contrast"], dark: ["dark", "moon"], light: ["light", "sun"] };

/** Let the form of the theme act at once. */
export function switchTheme(form) {
  const root = document.documentElement;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = event.submitter ?? form.querySelector("button");
    const chosen = button.value;
    const values = new FormData(form);
    values.set("theme", chosen);
    if (chosen) root.dataset.theme = `force-${chosen}`;
    else delete root.dataset.theme;
    const [text, symbol] = _SHOWN[chosen];
    button.value = _NEXT[chosen];
    button.title = `Theme: ${text}`;
    button.setAttribute("aria-label", `Theme: ${text}. Change it`);
    const use = button.querySelector("use");
    use.setAttribute("href", use.getAttribute("href").replace(/#.*/, `#${symbol}`));
    announce(`Theme: ${text}`);
    fetch(form.action, { method: "POST", body: new URLSearchParams(values), redirect: "manual" });
  });
}
