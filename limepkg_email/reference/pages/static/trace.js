// Why a message is here: the decisions that led to it, in sentences.

import { get } from "./api.js";
import { show } from "./dialog.js";
import { empty, h } from "./element.js";

/** Show the decisions; an older package that keeps none says so. */
export async function showTrace(item) {
  let body;
  try {
    const { entries } = await get(`message/${item.id}/trace/`);
    body = entries.length
      ? h("ol", { class: "trace" }, entries.map(line))
      : empty("trace", "Nothing was noted", "The message was written here, or came before decisions were kept.");
  } catch (error) {
    if (error.status !== 404) throw error;
    body = empty("trace", "There is no record of this message", "It was written here, or this installation does not keep records yet.");
  }
  show("Why this message is here", body);
}

function line(entry) {
  const rest = Object.entries({ ...entry, ...entry.details }).filter(([name, value]) => !["code", "text", "sentence", "details"].includes(name) && isShort(value));
  return h(
    "li",
    {},
    h("span", {}, entry.text || entry.sentence || entry.code),
    rest.length > 0 && h("details", {}, h("summary", {}, entry.code || "Details"), h("dl", {}, rest.map(([name, value]) => [h("dt", {}, name), h("dd", {}, String(value))]))),
  );
}

function isShort(value) {
  return value !== null && value !== "" && typeof value !== "object";
}
