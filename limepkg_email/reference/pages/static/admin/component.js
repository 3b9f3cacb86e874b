// A page of the administration that a web component makes.

import { component } from "../components.js";

const place = document.querySelector(".mount");
const made = await component(place.dataset.component, { context: {} });
if (made) {
  // Only then: what is there says that it is coming.
  place.replaceChildren(made);
} else {
  place.replaceChildren(document.getElementById("not-built").content);
}
place.setAttribute("aria-busy", "false");
