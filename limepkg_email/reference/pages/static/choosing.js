// Choices that act without a button beside them: at once for a pointer, for keys once they are made.

import { announce, complain } from "./notice.js";

/** Let a select act by itself: with a key it is left for, or Enter, so that arrows only look. */
export function choiceThatActs(field) {
  const { form } = field;
  let made = field.value;
  let pointed = false;
  const act = form.method === "post" ? () => store(form, field) : () => form.requestSubmit();

  function settle() {
    if (field.value === made) return;
    const before = made;
    made = field.value;
    act()?.catch((error) => {
      field.value = made = before;
      complain(error);
    });
  }

  field.addEventListener("pointerdown", () => (pointed = true));
  field.addEventListener("keydown", (event) => {
    pointed = false;
    if (event.key !== "Enter" || field.value === made) return;
    event.preventDefault();
    settle();
  });
  field.addEventListener("change", () => pointed && settle());
  field.addEventListener("blur", settle);
  if (!form.querySelector("input[type=search]")) form.querySelector("button")?.remove();
}

/** Store it and stay: the page that comes back says how the field looks now. */
async function store(form, field) {
  const response = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), keepalive: true });
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const stored = page.getElementById(field.id);
  if (!response.ok || !stored) throw new Error("It could not be stored. Load the page again and try once more.");
  field.className = stored.className;
  announce(`${field.labels[0]?.textContent}: ${field.selectedOptions[0].textContent}`);
}
