// What can be done with a message: each action goes through the package's endpoints.

import { ask, newKey, post } from "./api.js";
import { confirmed, field, form } from "./dialog.js";
import { h } from "./element.js";
import { complain, tell } from "./notice.js";
import { moment } from "./time.js";
import { showTrace } from "./trace.js";

const _UNDELIVERED = new Set(["failed", "bounced", "cancelled"]);

/** Make the function that does an action by its id; `page` knows the ticket's page. */
export function actions(page) {
  const known = {
    reply: (item) => page.reply(item),
    forward,
    resend,
    "mark-read": (item) => mark(item, true),
    "mark-unread": (item) => mark(item, false),
    move,
    split,
    trace: showTrace,
    cancel,
    edit: takeBack,
  };

  async function mark(item, read) {
    if (!read) page.keepUnread(item.id);
    await post("read/", { conversation: item.conversation, messages: [item.id], read });
    tell(read ? "Marked as read." : "Marked as unread.");
  }

  async function resend(item) {
    const again = item.recipients.filter((each) => _UNDELIVERED.has(each.state) && each.id);
    const names = again.map((each) => each.name || each.email).join(", ");
    if (!again.length) throw new Error("Nobody is left to whom it could be sent again.");
    if (!(await confirmed("Send again?", `The same mail goes to ${names} once more.`, { action: "Send again" }))) return;
    for (const each of again) await post(`message-follower/${each.id}/resend/`, {}, newKey());
    tell(`It is on its way to ${names}.`);
  }

  async function cancel(item) {
    if (!(await confirmed("Cancel the message?", "What has not left yet will not be sent.", { action: "Cancel the message", danger: true }))) return;
    const taken = await post(`message/${item.id}/cancel/`, {});
    tell(taken.left?.length ? "Some of the mails had left already; the others were cancelled." : "The message was cancelled.");
  }

  async function takeBack(item) {
    const taken = await post(`message/${item.id}/cancel/`, {});
    await page.writeOn(taken);
    tell(taken.left.length ? "Some of the mails had left already. The message is below, for you to write on." : "The message was taken back. It is below, for you to write on.");
  }

  async function forward(item) {
    const key = newKey();
    const people = h("input", { name: "to", required: true, autocomplete: "off", placeholder: "name@example.com, …" });
    const text = h("textarea", { name: "text", rows: "5" });
    const follow = h("input", { type: "checkbox", name: "follow" });
    const sent = await form({
      title: "Forward the message",
      action: "Forward",
      body: [
        field("To", people),
        field("Your words above it", text),
        h("label", { class: "check" }, follow, "They join the conversation and get what follows"),
        h("p", { class: "field-hint" }, "Otherwise the mail leaves the conversation, and answers to it begin one of their own. Files go along."),
      ],
      submit: (values) => {
        const recipients = addresses(values.get("to"));
        return post(`message/${item.id}/forward/`, { recipients, html: asHtml(values.get("text")), follow: values.has("follow") }, key);
      },
    });
    if (sent) tell("The message was forwarded.");
  }

  async function move(item) {
    const chosen = await chooseConversation({
      title: "Move to another conversation",
      action: "Move",
      hint: "Later answers to the message follow it.",
      without: item.conversation,
      submit: (conversation) => post(`message/${item.id}/move/`, { conversation }),
    });
    if (chosen) tell("The message was moved.", leadTo(chosen));
  }

  async function split(item) {
    if (!(await confirmed("Make a ticket of its own?", "The message begins a new conversation on a new ticket. Later answers to it follow.", { action: "Split off" }))) return;
    const { conversation } = await post(`message/${item.id}/split/`, {});
    const { items: [begun] } = await conversations({ id: conversation });
    tell("The message has a ticket of its own now.", begun && leadTo(begun));
  }

  const underway = new Set();

  return async (name, item) => {
    const run = known[name];
    if (!run) {
      page.other(name, item);
      return;
    }
    // A second click on a button does nothing more.
    const once = `${name} ${item.id}`;
    if (underway.has(once)) return;
    underway.add(once);
    try {
      await run(item);
    } catch (error) {
      complain(error);
    } finally {
      underway.delete(once);
      await page.refresh();
    }
  };
}

/** Let the reader choose a conversation; gives it once `submit` has succeeded, or null. */
export function chooseConversation({ title, action, hint, without, submit, danger = false }) {
  const input = h("input", { type: "search", autocomplete: "off", placeholder: "Search subjects" });
  const list = h("ul", { class: "choices" });
  let found = [];
  let timer = 0;

  async function search() {
    const { items } = await conversations({ q: input.value.trim() });
    found = items.filter((each) => each.id !== without);
    list.replaceChildren(...found.map(choice));
    if (!found.length) list.append(h("li", { class: "nothing" }, "No conversation fits."));
  }

  input.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => search().catch(complain), 200);
  });
  search().catch(complain);
  return form({
    title,
    action,
    danger,
    body: [field("Conversation", input, hint), list],
    submit: async (values) => {
      const id = Number(values.get("conversation"));
      if (!id) throw new Error("Choose a conversation.");
      await submit(id);
      return found.find((each) => each.id === id);
    },
  });
}

function conversations(query) {
  return ask(`/${document.body.dataset.application}/conversations`, query);
}

/** A conversation to choose: many have the same subject, so who, how much and when are beside it. */
function choice(each) {
  const other = each.title && each.title !== each.subject ? each.title : "";
  const about = [
    each.who && h("bdi", {}, each.who),
    each.messages === 1 ? "1 message" : `${each.messages} messages`,
    each.last && moment(each.last),
    each.ticket && [h("span", { class: "number" }, `#${each.ticket}`), other && [" ", h("bdi", {}, other)]],
  ].filter(Boolean).map((part, at) => (at ? [" · ", part] : part));
  return h(
    "li",
    {},
    h(
      "label",
      {},
      h("input", { type: "radio", name: "conversation", value: String(each.id) }),
      h("span", {}, h("bdi", {}, each.subject || "(no subject)"), h("br"), h("span", { class: "quiet small" }, about)),
    ),
  );
}

function leadTo({ ticket, id }) {
  if (!ticket) return undefined;
  const there = `/${document.body.dataset.application}/helpdesk/${ticket}/?conversation=${id}`;
  return { text: "Go there", run: () => location.assign(there) };
}

/** Read what was typed as addresses, with or without names; a comma within quotes ends none. */
export function addresses(text) {
  const each = text.match(/(?:"(?:[^"\\]|\\.)*"|<[^<>]*>|[^,;\n])+/g) ?? [];
  return each.map((one) => one.trim()).filter(Boolean).map((one) => {
    const [, name, email] = /^(.*?)\s*<([^<>]+)>$/s.exec(one) ?? [null, "", one];
    return { email: email.trim(), name: name.replace(/^"(.*)"$/s, "$1").replace(/\\(.)/g, "$1") };
  });
}

function asHtml(text) {
  const shown = document.createElement("p");
  shown.textContent = text.trim();
  return text.trim() ? `<p>${shown.innerHTML.replace(/\n/g, "<br>")}</p>` : "";
}
