// Questions that the page asks before it goes on; focus returns to where it was.

import { h, icon, uniqueId } from "./element.js";

/** Ask whether to go on; gives true or false. */
export async function confirmed(title, text, { action = "Go on", cancel = "Cancel", danger = false } = {}) {
  return (await form({ title, body: [h("p", { class: "text" }, text)], action, cancel, danger })) !== null;
}

/**
 * Show a form and give its values when it is sent, or null when it is closed.
 *
 * With `submit` the dialog stays open until that succeeds, and shows why it did not. What was typed
 * is not thrown away without a question.
 */
export function form({ title, body, action = "Save", cancel = "Cancel", danger = false, submit, wide = false }) {
  return new Promise((resolve) => {
    const name = uniqueId("dialog");
    const fault = h("div", { role: "alert" });
    const send = h("button", { class: danger ? "danger" : null }, action);
    const inside = h(
      "form",
      { method: "dialog", novalidate: false },
      head(name, title, leave),
      h("div", { class: "dialog-body" }, fault, body),
      h("div", { class: "dialog-end" }, h("button", { type: "button", class: "plain", onclick: leave }, cancel), send),
    );
    let result = null;
    const dialog = open(name, inside, wide, () => resolve(result), leave);
    const before = typed(inside);
    async function leave() {
      const lost = typed(inside) !== before;
      if (!lost || (await confirmed("Throw away what you have typed?", "It is not saved.", { action: "Throw away", cancel: "Go on writing", danger: true }))) dialog.close();
    }
    inside.addEventListener("submit", async (event) => {
      event.preventDefault();
      const values = new FormData(inside);
      send.disabled = true;
      fault.replaceChildren();
      try {
        result = submit ? ((await submit(values)) ?? values) : values;
        dialog.close();
      } catch (error) {
        const sentences = error.sentences?.length ? error.sentences : [error.message];
        fault.replaceChildren(h("div", { class: "fault" }, sentences.map((each) => h("p", {}, each))));
      } finally {
        send.disabled = false;
      }
    });
  });
}

/** Show something to read. */
export function show(title, body, { wide = false } = {}) {
  const name = uniqueId("dialog");
  const inside = h(
    "div",
    { class: "dialog-inside" },
    head(name, title, () => dialog.close()),
    h("div", { class: "dialog-body", tabindex: "0" }, body),
    h("div", { class: "dialog-end" }, h("button", { type: "button", class: "plain", onclick: () => dialog.close() }, "Close")),
  );
  const dialog = open(name, inside, wide, () => {}, () => dialog.close());
  return dialog;
}

/** Make a labelled field for a form. */
export function field(label, control, hint = "") {
  control.id ||= uniqueId("field");
  const note = hint && h("p", { class: "field-hint", id: `${control.id}-hint` }, hint);
  if (note) control.setAttribute("aria-describedby", note.id);
  return h("div", { class: "field" }, h("label", { for: control.id }, label), control, note);
}

function head(name, title, close) {
  return h(
    "div",
    { class: "dialog-head" },
    h("h2", { id: name }, title),
    h("button", { type: "button", class: "icon-button", "aria-label": "Close", onclick: close }, icon("close")),
  );
}

function typed(form) {
  return JSON.stringify([...new FormData(form)].map(([name, value]) => [name, value.name ?? value]));
}

function open(name, inside, wide, closed, leave) {
  const opener = document.activeElement;
  const dialog = h("dialog", { "aria-labelledby": name, class: wide ? "wide" : null }, inside);
  // The browser closes a dialog at the second Escape, whatever the page says: so it sees none.
  dialog.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    event.preventDefault();
    event.stopPropagation();
    leave();
  });
  dialog.addEventListener("cancel", (event) => {
    if (event.target !== dialog) return;
    event.preventDefault();
    leave();
  });
  dialog.addEventListener("close", () => {
    dialog.remove();
    if (opener?.isConnected && !document.activeElement?.closest("dialog")) opener.focus();
    closed();
  });
  document.body.append(dialog);
  dialog.showModal();
  const first = dialog.querySelector("input:not([type=hidden]), textarea, select, .dialog-end button");
  first?.focus();
  return dialog;
}
