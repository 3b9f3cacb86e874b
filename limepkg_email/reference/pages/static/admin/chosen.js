// What is set at present, for sentences that tell of it.

import { get } from "../api.js";

/** Give the values of the settings by their keys. */
export async function chosen() {
  const { items } = await get("settings/");
  return Object.fromEntries(items.map((each) => [each.name, each.value]));
}

/** Say a number of something: `1 day`, `2.5 days`. */
export const many = (number, one) => `${number} ${number === 1 ? one : `${one}s`}`;
