// What every page does once it is there.

import { choiceThatActs } from "./choosing.js";
import { switchTheme } from "./theme.js";
import { keepCurrent } from "./time.js";

keepCurrent(document);
document.querySelectorAll("form.theme").forEach(switchTheme);

document.querySelectorAll("select[data-submits]").forEach(choiceThatActs);

// What stands open beside the text would be in the way on a phone.
if (matchMedia("(max-width: 60rem)").matches) {
  document.querySelectorAll("details.about, details.admin-menu").forEach((each) => (each.open = false));
}

for (const opened of document.querySelectorAll("details.account-menu")) {
  document.addEventListener("pointerdown", (event) => opened.contains(event.target) || (opened.open = false));
  opened.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !opened.open) return;
    opened.open = false;
    opened.querySelector("summary").focus();
  });
}

// A form that is on its way is not sent once more.
for (const form of document.querySelectorAll("form.write")) {
  form.addEventListener("submit", () => form.classList.add("sent"));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
  });
}
