// What the server drew around the ticket's messages, brought up to date while the page stays: who
// follows, which conversations there are, and what can be done with them.

export class Drawn {
  /** `followers` are those of the panel; `changed(conversations)` is told how many there are. */
  constructor(feed, followers, changed) {
    this.feed = feed;
    this.followers = followers;
    this.changed = changed;
    this.running = false;
    const panel = document.querySelector(".people-of");
    if (panel) followers.start(panel);
  }

  /** Look at the page anew; asked while it is looked at, once more after that. */
  async refresh() {
    this.wanted = true;
    if (this.running) return;
    this.running = true;
    while (this.wanted) {
      this.wanted = false;
      await this.look().catch(() => {}); // it stays as it is until the next news
    }
    this.running = false;
  }

  async look() {
    const response = await fetch(location.pathname + location.search, { headers: { Accept: "text/html" }, redirect: "manual", cache: "no-store" });
    if (!response.ok) return;
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const panel = page.querySelector(".people-of");
    if (!panel) return;
    this.showPeople(panel);
    this.showConversations(page);
  }

  showPeople(fresh) {
    if (this.followers.panel) {
      this.followers.update(fresh);
      return;
    }
    const details = document.querySelector("details.about");
    fresh.open = details.open;
    details.after(fresh);
    this.followers.start(fresh);
  }

  showConversations(page) {
    const head = document.querySelector(".feed-head");
    const heading = head.querySelector("h2");
    const tabs = page.querySelector(".tabs");
    heading.className = page.querySelector(".feed-head h2").className;
    heading.textContent = page.querySelector(".feed-head h2").textContent;
    if (tabs && this.feed.dataset.limetype !== "conversation") markFirst(tabs);
    exchange(head.querySelector(".tabs"), tabs, (fresh) => heading.after(fresh));
    const form = head.querySelector(".feed-tools form");
    for (const each of ["a.button", "[data-merge]"]) {
      const fresh = page.querySelector(`.feed-tools ${each}`);
      if (fresh) fresh.hidden = false;
      exchange(head.querySelector(`.feed-tools ${each}`), fresh, (made) => form.before(made));
    }
    this.changed(tabs ? tabs.querySelectorAll("a").length - 1 : 1);
  }
}

// The page may be about one conversation and still show the messages of all.
function markFirst(tabs) {
  tabs.querySelectorAll("[aria-current]").forEach((each) => each.removeAttribute("aria-current"));
  tabs.querySelector("a").setAttribute("aria-current", "page");
}

// Whoever has the focus on a link has it on the same one afterwards.
function exchange(known, fresh, add) {
  if (!known) {
    if (fresh) add(fresh);
    return;
  }
  if (!fresh) known.remove();
  else if (known.outerHTML !== fresh.outerHTML) {
    const focused = known.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    known.replaceWith(fresh);
    const links = [fresh, ...fresh.querySelectorAll("a")];
    if (focused !== null) links.find((each) => each.getAttribute("href") === focused)?.focus({ preventScroll: true });
  }
}
