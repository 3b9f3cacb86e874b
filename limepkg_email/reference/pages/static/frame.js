// The mail itself, in a frame that can run nothing; this page only measures it.

import { h } from "./element.js";

const _SANDBOX = "allow-same-origin allow-popups allow-popups-to-escape-sandbox";
const _TALLEST = 12_000;
const _root = document.documentElement;

// Mails without colours of their own have the theme of the page, at once when it is switched.
new MutationObserver(() => document.querySelectorAll("iframe.body").forEach(paint)).observe(_root, { attributeFilter: ["data-theme"] });

/** Make the frame of a message and the buttons that show more of it. */
export function mailFrame(item, onkey) {
  const tools = h("div", { class: "frame-tools" });
  const asked = { part: "visible", images: false };
  const frame = h("iframe", {
    class: "body",
    title: `Message from ${item.author.name}`,
    sandbox: _SANDBOX,
    referrerpolicy: "no-referrer",
    loading: "lazy",
    src: source(),
  });
  const watcher = new ResizeObserver(() => fit(frame));
  frame.addEventListener("load", () => {
    const inside = frame.contentDocument;
    if (!inside?.body) return;
    watcher.disconnect();
    watcher.observe(inside.body);
    paint(frame);
    fit(frame);
    offer(inside);
    inside.addEventListener("keydown", onkey);
  });

  function source() {
    const query = new URLSearchParams();
    if (asked.part !== "visible") query.set("part", asked.part);
    if (asked.images) query.set("images", "true");
    if (theme()) query.set("theme", theme());
    return `${item.bodyUrl}${query.size ? `?${query}` : ""}`;
  }

  function again(changed) {
    Object.assign(asked, changed);
    frame.loading = "eager";
    frame.src = source();
  }

  function offer(inside) {
    const folded = asked.part === "visible" && inside.documentElement.hasAttribute("data-more");
    const remote = inside.querySelectorAll('img[data-remote]').length;
    tools.replaceChildren();
    if (folded) {
      tools.append(button("…", "Show quoted text", () => again({ part: "complete" }), "plain quote-button"));
    } else if (asked.part === "complete") {
      tools.append(button("Hide quoted text", "", () => again({ part: "visible" })));
    }
    if (remote && !asked.images) {
      const text = remote === 1 ? "Show the image" : `Show ${remote} images`;
      tools.append(button(text, "", () => again({ images: true })));
      tools.lastChild.title = "They are loaded from the web, so the sender can learn that you read this.";
    }
  }

  return { frame, tools };
}

function button(text, label, run, kind = "plain") {
  return h("button", { type: "button", class: kind, "aria-label": label || null, title: label || null, onclick: run }, text);
}

const theme = () => (_root.dataset.theme ?? "").replace("force-", "");

function paint(frame) {
  const inside = frame.contentDocument?.documentElement;
  if (!inside) return;
  if (theme()) inside.dataset.theme = theme();
  else delete inside.dataset.theme;
}

function fit(frame) {
  const body = frame.contentDocument?.body;
  if (!body) return;
  const wide = body.scrollWidth > frame.clientWidth + 1;
  const height = Math.ceil(Math.max(body.getBoundingClientRect().height, body.scrollHeight)) + (wide ? 16 : 0);
  frame.style.height = `${Math.min(Math.max(height, 24), _TALLEST)}px`;
}
