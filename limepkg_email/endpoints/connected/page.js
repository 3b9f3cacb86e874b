"use strict";
(function () {
  // The address is read once and then forgotten: the token in it serves one time only.
  const given = new URLSearchParams(location.search);
  const target = location.pathname.replace(/connected\/?$/, "");
  history.replaceState(null, "", location.pathname);

  const progress = document.getElementById("progress");
  const advice = document.getElementById("advice");
  const again = document.getElementById("again");
  const back = document.getElementById("back");

  function show(sentence, more, kind) {
    progress.textContent = sentence;
    progress.className = kind;
    advice.textContent = more;
    advice.hidden = !more;
  }

  function connected(answer) {
    const account = answer.account;
    const name = account.email;
    if (/^\/(?![\/\\])/.test(answer.back)) back.href = answer.back;
    const failing = /^(authentication|connect)Error$/.test(account.state);
    if (!account.enabled && !failing) {
      show(name + " is connected.", "Nothing is imported yet: the page you return to goes on.", "done");
    } else if (failing || account.cause) {
      const cause = account.enabled ? account.cause : "The mail server refuses it.";
      const advice = account.enabled ? account.advice : "Sign in again on the page you return to.";
      show(name + " is stored, but does not work yet. " + cause, advice, "failed");
    } else {
      show(name + " is connected.", account.advice, "done");
    }
  }

  function refused(status, answer) {
    const sentences = Object.values(answer.errors || {}).flat();
    const sentence = sentences[0] || answer.message || "The mailbox could not be connected.";
    const more = {
      401: "Sign in to the CRM in this browser, then try again.",
      403: "Only the administrator who began the sign-in can end it.",
    };
    show(sentence, more[status] || "", "failed");
    again.hidden = !(status === 401 || status >= 500);
  }

  async function send() {
    again.hidden = true;
    show("The mailbox is being connected…", "", "");
    const body = { token: given.get("token") || "", account: given.get("account") || "" };
    try {
      const response = await fetch(target, {
        method: "POST",
        credentials: "same-origin",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(body),
      });
      const answer = await response.json().catch(() => ({}));
      if (response.ok) connected(answer);
      else refused(response.status, answer);
    } catch {
      refused(503, { message: "The CRM cannot be reached." });
    }
  }

  again.addEventListener("click", send);
  send();
})();
