// Menus that open: a button, a list, arrow keys, Escape.

import { h, icon } from "./element.js";

/**
 * Make a menu; `entries` are `{text, icon, run}`, or null for a line between them. It tells of its
 * being closed by the event `menu-close`.
 */
export function menu(label, entries) {
  const list = h("div", { class: "menu-list", role: "menu", hidden: true });
  for (const each of entries) {
    list.append(
      each === null
        ? h("hr")
        : h(
            "button",
            { type: "button", class: "menu-item", role: "menuitem", tabindex: "-1", onclick: () => { close(true); each.run(); } },
            icon(each.icon),
            each.text,
          ),
    );
  }
  const button = h(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false", onclick: () => (list.hidden ? open() : close(true)) },
    icon("more"),
  );
  const whole = h("div", { class: "menu" }, button, list);
  const items = () => [...list.querySelectorAll("[role=menuitem]")];

  function open() {
    list.hidden = false;
    button.setAttribute("aria-expanded", "true");
    items()[0]?.focus();
    document.addEventListener("pointerdown", outside);
  }

  function close(back) {
    if (list.hidden) return;
    list.hidden = true;
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside);
    if (back) button.focus();
    whole.dispatchEvent(new CustomEvent("menu-close"));
  }

  const outside = (event) => whole.contains(event.target) || close(false);
  whole.addEventListener("focusout", (event) => event.relatedTarget && !whole.contains(event.relatedTarget) && close(false));
  whole.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(document.activeElement);
    const to = { ArrowDown: (at + 1) % all.length, ArrowUp: (at - 1 + all.length) % all.length, Home: 0, End: all.length - 1 }[event.key];
    if (event.key === "Escape" && !list.hidden) close(true);
    else if (to !== undefined && !list.hidden) all[to].focus();
    else if (event.key === "ArrowDown" && list.hidden && event.target === button) open();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  return whole;
}
