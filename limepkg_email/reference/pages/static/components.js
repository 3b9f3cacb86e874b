// Puts web components into their places. A page that has none loads none of this.

import { platform } from "./platform.js";

const _PATIENCE = 10_000;
const _front = document.querySelector("script[data-front-end]");

let _begun = null;

/** Make an element of ours with the host's services; null if the front end does not have it. */
export async function component(tag, properties) {
  if (!_front) return null;
  await begin();
  if (!(await isDefined(tag))) return null;
  // The page's own words may be in another language.
  const lang = document.body.dataset.language;
  return Object.assign(document.createElement(tag), { platform, ...(lang && { lang }), ...properties });
}

// The loader comes first, once: it makes ready what the others share.
function begin() {
  _begun ??= (async () => {
    const { icons } = _front.dataset;
    if (icons) {
      const config = document.createElement("limel-config");
      config.config = { iconPath: icons };
      document.body.append(config);
    }
    if (!(await isDefined("lwc-limepkg-email-loader"))) return;
    document.body.append(Object.assign(document.createElement("lwc-limepkg-email-loader"), { platform }));
  })();
  return _begun;
}

// What is not in the build is never defined.
function isDefined(tag) {
  const late = new Promise((resolve) => setTimeout(resolve, _PATIENCE, false));
  return Promise.race([customElements.whenDefined(tag).then(() => true), late]);
}
