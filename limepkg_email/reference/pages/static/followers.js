// Who gets the messages of a conversation: switches, and adding somebody.

import { post, put } from "./api.js";
import { field, form } from "./dialog.js";
import { h } from "./element.js";
import { announce, complain } from "./notice.js";

/** Make the list of followers work; `changed` is called when somebody was switched on or off. */
export function followers(list, add, changed) {
  for (const box of list.querySelectorAll("[data-follower]")) {
    box.disabled = false;
    box.addEventListener("change", () => change(box, changed));
  }
  if (!add) return;
  add.hidden = false;
  add.addEventListener("click", () => addSomebody(Number(list.dataset.conversation)));
}

async function change(box, changed) {
  const chip = document.querySelector(`[name=followers][value="${box.dataset.follower}"]`);
  try {
    await put(`follower/${box.dataset.follower}/`, { active: box.checked });
    if (chip) chip.checked = box.checked;
    changed();
    announce(`${box.getAttribute("aria-label")}: ${box.checked ? "on" : "off"}`);
  } catch (error) {
    box.checked = !box.checked;
    complain(error);
  }
}

async function addSomebody(conversation) {
  const email = h("input", { name: "email", type: "email", required: true, autocomplete: "off" });
  const name = h("input", { name: "name", autocomplete: "off" });
  const added = await form({
    title: "Add somebody",
    action: "Add",
    body: [field("Email", email, "They get a mail of their own with every message from now on."), field("Name", name)],
    submit: (values) => post("follower/", { conversation, email: values.get("email").trim(), name: values.get("name").trim() }),
  });
  if (added) location.reload();
}
