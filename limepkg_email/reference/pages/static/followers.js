// Who gets the messages of a conversation: switches, and adding somebody.

import { post, put } from "./api.js";
import { field, form } from "./dialog.js";
import { h } from "./element.js";
import { announce, complain } from "./notice.js";

/** Make the list of followers work. */
export function followers(list, add) {
  for (const box of list.querySelectorAll("[data-follower]")) {
    box.disabled = false;
    box.addEventListener("change", () => change(box));
  }
  if (!add) return;
  add.hidden = false;
  add.addEventListener("click", () => addSomebody(Number(list.dataset.conversation)));
}

async function change(box) {
  const chip = document.querySelector(`[name=followers][value="${box.dataset.follower}"]`);
  try {
    await put(`follower/${box.dataset.follower}/`, { active: box.checked });
    if (chip) chip.checked = box.checked;
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
