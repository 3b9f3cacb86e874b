// Snippets: the list, writing one, and removing one.

import { post, put, remove } from "../api.js";
import { confirmed, field, form } from "../dialog.js";
import { empty, h, icon } from "../element.js";
import { complain, tell } from "../notice.js";
import { listing } from "./listing.js";
import { asHtml, asText, source } from "./markup.js";
import { tools } from "./place.js";

const search = h("input", { type: "search", placeholder: "Search title or text", "aria-label": "Search snippets" });
let timer = 0;
search.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(() => list.reload({ search: search.value.trim() }), 200);
});

const list = listing({
  path: "snippet/",
  label: "Snippets",
  columns: [
    { title: "Title", cell: (item) => h("strong", {}, item.title) },
    { title: "Text", cell: (item) => h("div", { class: "snippet-text" }, asText(item.text)) },
    { title: "", kind: "side", cell: actions },
  ],
  nothing: () => (search.value
    ? empty("search", "No snippet fits", "Try a part of the title.")
    : empty("text", "There is no snippet yet", "Whoever writes a mail types ! and a part of the title to insert one.", h("button", { type: "button", onclick: () => edit() }, "Write the first"))),
});

function actions(item) {
  return h(
    "span",
    { class: "row-actions" },
    h("button", { type: "button", class: "plain small", "aria-label": `Change ${item.title}`, onclick: () => edit(item) }, "Change"),
    h("button", { type: "button", class: "plain small danger", "aria-label": `Delete ${item.title}`, title: "Delete", onclick: () => drop(item) }, icon("trash")),
  );
}

async function edit(item) {
  const title = h("input", { name: "title", required: true, maxlength: "128", value: item?.title ?? "", autocomplete: "off" });
  const text = h("textarea", { name: "text", rows: "9", required: true, value: item?.text ? source(item.text) : "" });
  const saved = await form({
    title: item ? "Change the snippet" : "New snippet",
    body: [field("Title", title), field("Text", text, "Simple HTML such as <b>…</b> is kept, everything else is text; empty lines make paragraphs.")],
    submit: (values) => {
      const body = { title: values.get("title").trim(), text: asHtml(values.get("text")) };
      return item ? put(`snippet/${item.id}/`, body) : post("snippet/", body);
    },
  });
  if (!saved) return;
  tell("Saved.");
  list.reload();
}

async function drop(item) {
  if (!(await confirmed("Delete the snippet?", `“${item.title}” is gone for everybody.`, { action: "Delete", danger: true }))) return;
  try {
    await remove(`snippet/${item.id}/`);
    tell("Deleted.");
  } catch (error) {
    complain(error);
  }
  list.reload();
}

tools(search, h("button", { type: "button", onclick: () => edit() }, icon("plus"), "New snippet"));
