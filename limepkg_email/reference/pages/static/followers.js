// Who gets the messages of a conversation: switches, and adding somebody.

import { post, put } from "./api.js";
import { field, form } from "./dialog.js";
import { h } from "./element.js";
import { announce, complain } from "./notice.js";
import { place } from "./place.js";

export class Followers {
  /** `changed` is called when somebody was switched on or off, or added. */
  constructor(changed) {
    this.changed = changed;
    this.underway = new Set();
  }

  /** Make the panel work that the server drew. */
  start(panel) {
    this.panel = panel;
    panel.querySelectorAll("[data-follower]").forEach((box) => this.startSwitch(box));
    const add = panel.querySelector("[data-add-follower]");
    if (!add) return;
    add.hidden = false;
    add.addEventListener("click", () => this.add());
  }

  /** Bring it in line with how the server draws it now; who is there stays, with the focus. */
  update(fresh) {
    const { panel } = this;
    const list = panel.querySelector("[data-followers]");
    const wanted = fresh.querySelector("[data-followers]");
    const rows = [...wanted.children].map((row) => this.row(list, row));
    list.dataset.conversation = wanted.dataset.conversation;
    place(list, rows);
    for (const each of [".count", "p"]) panel.querySelector(each).replaceChildren(...fresh.querySelector(each).childNodes);
  }

  row(list, fresh) {
    const box = fresh.querySelector("[data-follower]");
    const known = list.querySelector(`[data-follower="${box.dataset.follower}"]`);
    if (!known) {
      this.startSwitch(box);
      return fresh;
    }
    if (!this.underway.has(known)) known.checked = box.checked;
    return known.closest("li");
  }

  startSwitch(box) {
    box.disabled = false;
    box.addEventListener("change", () => this.change(box));
  }

  async change(box) {
    const chip = document.querySelector(`[name=followers][value="${box.dataset.follower}"]`);
    this.underway.add(box);
    try {
      await put(`follower/${box.dataset.follower}/`, { active: box.checked });
      if (chip) chip.checked = box.checked;
      this.changed();
      announce(`${box.getAttribute("aria-label")}: ${box.checked ? "on" : "off"}`);
    } catch (error) {
      box.checked = !box.checked;
      complain(error);
    } finally {
      this.underway.delete(box);
    }
  }

  async add() {
    const conversation = Number(this.panel.querySelector("[data-followers]").dataset.conversation);
    const email = h("input", { name: "email", type: "email", required: true, autocomplete: "off" });
    const name = h("input", { name: "name", autocomplete: "off" });
    const added = await form({
      title: "Add somebody",
      action: "Add",
      body: [field("Email", email, "They get a mail of their own with every message from now on."), field("Name", name)],
      submit: (values) => post("follower/", { conversation, email: values.get("email").trim(), name: values.get("name").trim() }),
    });
    if (added) this.changed();
  }
}
