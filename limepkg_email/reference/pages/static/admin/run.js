// A task that was started: how far it is, until it has ended.

import { get } from "../api.js";
import { h } from "../element.js";

const _PAUSE = 700;

/** Show the progress of a task in `place`; gives the task when it has ended. */
export async function follow(id, place, text) {
  const bar = h("progress", { "aria-label": text });
  const words = h("span", { class: "quiet small", role: "status" }, text);
  place.replaceChildren(h("div", { class: "progress" }, bar, words));
  for (;;) {
    const task = await get(`task/${id}/`);
    if (task.total) {
      bar.max = task.total;
      bar.value = task.done;
      words.textContent = `${text} ${task.done} of ${task.total}`;
    }
    if (task.status === "SUCCESS" || task.status === "FAILURE") {
      place.replaceChildren();
      return task;
    }
    await new Promise((resolve) => setTimeout(resolve, _PAUSE));
  }
}
