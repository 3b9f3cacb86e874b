// What the CRM gives to web components: the services of Lime's platform, by the CRM's own means.

import { confirmed } from "./dialog.js";
import { http } from "./http.js";
import { complain, tell } from "./notice.js";

const notifications = {
  notify: (message) => void tell(message),
  alert: async (title, message) => void complain(new Error([title, message].filter(Boolean).join(" "))),
  confirm: (title, message, action, cancel) => confirmed(title, message, { action, cancel }),
};

const _events = new EventTarget();
const eventDispatcher = {
  addListener: (name, listener) => _events.addEventListener(name, listener),
  removeListener: (name, listener) => _events.removeEventListener(name, listener),
  dispatch(name, detail) {
    const event = new CustomEvent(name, { detail });
    _events.dispatchEvent(event);
    return event;
  },
};

// The pages know no text of the package: an unknown key comes back, and the components then take
// their own text in the language of the session, which need not be that of the CRM's own pages.
const translate = { get: (key) => key };

// The CRM knows no time zone of its users: the browser's is theirs.
const session = { language: document.body.dataset.language, timeZone: Intl.DateTimeFormat().resolvedOptions().timeZone };
const state = { getSession: () => session };

const navigator = { navigate: (to) => location.assign(typeof to === "string" ? to : (to.path ?? to.href)) };

const _shown = new Map();
const dialog = {
  create(tag, properties, listeners = {}) {
    const element = Object.assign(document.createElement(tag), { platform }, properties);
    for (const [name, listener] of Object.entries(listeners)) element.addEventListener(name, listener);
    document.body.append(element);
    _shown.set(_shown.size + 1, element);
    return _shown.size;
  },
  destroy(id) {
    _shown.get(id)?.remove();
  },
};

const _services = new Map(Object.entries({ http, notifications, eventDispatcher, translate, navigator, dialog, "state.application": state }));

export const platform = {
  type: "web",
  has: (name) => _services.has(name),
  get(name) {
    if (!_services.has(name)) throw new Error(`There is no service ${name}.`);
    return _services.get(name);
  },
  register: (name, service) => void _services.set(name, service),
};

/** What the package's components tell each other: mail came, was read or was sent. */
const _CHANGED = "limepkg-email.changed";

/** Tell the components that something changed on the page. */
export const announceChange = (detail = {}) => void eventDispatcher.dispatch(_CHANGED, { ...detail, byPage: true });

/** Call back when a component changed something. */
export function whenChanged(listener) {
  eventDispatcher.addListener(_CHANGED, ({ detail }) => detail?.byPage || listener(detail));
}
