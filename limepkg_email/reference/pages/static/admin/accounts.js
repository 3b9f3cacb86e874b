// The connected accounts, for pages that are about one of them.

import { get } from "../api.js";
import { h } from "../element.js";

/** Give all accounts. */
export async function accounts() {
  const { items } = await get("account/", { limit: 1000 });
  return items;
}

/** Make a select of accounts; the one of the address (`?account=`) is chosen. */
export function accountSelect(all, choose, { every = "" } = {}) {
  const wanted = new URLSearchParams(location.search).get("account");
  const options = all.map((each) => h("option", { value: String(each.id) }, named(each)));
  if (every) options.unshift(h("option", { value: "" }, every));
  const select = h("select", { "aria-label": "Account", onchange: () => {
    history.replaceState(null, "", select.value ? `?account=${select.value}` : location.pathname);
    choose(select.value);
  } }, options);
  if (wanted && all.some((each) => String(each.id) === wanted)) select.value = wanted;
  return select;
}

/** Give what an account is called. */
export function named(account) {
  return account.name && account.name !== account.email ? `${account.name} <${account.email}>` : account.email;
}
