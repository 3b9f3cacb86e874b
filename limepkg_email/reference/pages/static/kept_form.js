// A form whose text is not lost: it is sent only while somebody is signed in.

import { complain } from "./notice.js";
import { isSignedIn } from "./session.js";

/** Let the form ask first; it stays as it is, with its text and its files, if it cannot be sent. */
export function keepForm(form) {
  let asking = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (asking) return;
    asking = true;
    try {
      if (await isSignedIn()) form.submit();
      else form.classList.remove("sent");
    } catch {
      form.classList.remove("sent");
      complain(new Error("The server cannot be reached. Look at your connection and try again."));
    } finally {
      asking = false;
    }
  });
}

document.querySelectorAll("form[data-kept]").forEach(keepForm);
