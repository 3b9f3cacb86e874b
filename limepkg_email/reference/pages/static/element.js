// Makes elements. Texts become text nodes, so nothing that a stranger wrote is ever read as HTML.

const SVG = "http://www.w3.org/2000/svg";

/** Make an element; `on…` are listeners, `false` and `null` leave an attribute or child out. */
export function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === false || value === null || value === undefined) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in PROPERTIES) made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(3).filter((each) => each !== null && each !== undefined && each !== false));
  return made;
}

const PROPERTIES = { value: true, checked: true, disabled: true, hidden: true, indeterminate: true };

/** Make an icon of the sheet; it is decoration, so say in words what it means. */
export function icon(name) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("class", "icon");
  made.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `${document.body.dataset.icons}#${name}`);
  made.append(use);
  return made;
}

/** Make what stands where there is nothing. */
export function empty(symbol, title, text = "", ...more) {
  return h("div", { class: "empty" }, icon(symbol), h("p", { class: "empty-title" }, title), text && h("p", {}, text), more);
}

let _ids = 0;

/** Give an id that no other element has. */
export function uniqueId(name) {
  _ids += 1;
  return `${name}-${_ids}`;
}
