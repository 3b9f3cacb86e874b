// The least that a host must supply: a platform object with a few services, and the elements.
//
// index.html?application=crm&component=lwc-unread-message-icon-indicator&limetype=helpdesk&id=1
//
// `component` may be given more than once, `props` is JSON for all of them, `language` and `theme`
// (light, dark) are those of the page.

const query = new URLSearchParams(location.search);
const application = query.get('application') ?? 'crm';

document.documentElement.lang = query.get('language') ?? 'en';
if (query.has('theme')) {
  document.documentElement.dataset.theme = `force-${query.get('theme')}`;
}

// --- http ---------------------------------------------------------------------------------------

/** What `http` throws; `response` is the parsed body. */
class HttpError extends Error {
  constructor(status, response, headers) {
    super(`HTTP ${status}`);
    Object.assign(this, { status, response, headers });
  }
}

function address(url, params) {
  const found = new URL(`/${encodeURIComponent(application)}/${url}`, location.origin);
  Object.entries(params ?? {}).forEach(([name, value]) => found.searchParams.set(name, value));
  return found;
}

async function send(method, url, data, options = {}) {
  const headers = { Accept: 'application/json', ...options.headers };
  const isForm = data instanceof FormData;
  if (method !== 'GET' && !isForm) {
    headers['Content-Type'] = 'application/json';
  }
  const body = method === 'GET' || isForm ? data : JSON.stringify(data ?? {});
  if (isForm && options.onUploadProgress) {
    return upload(method, address(url, options.params), headers, body, options.onUploadProgress);
  }
  const answer = await fetch(address(url, options.params), {
    method,
    headers,
    body,
    credentials: 'same-origin',
  });
  if (answer.ok && options.responseType === 'blob') {
    return answer.blob();
  }
  return result(answer.status, await answer.text(), answer.headers);
}

// `fetch` does not tell how much has been sent.
function upload(method, url, headers, body, onUploadProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    Object.entries(headers).forEach(([name, value]) => request.setRequestHeader(name, value));
    request.upload.onprogress = ({ loaded, total }) => onUploadProgress(total ? loaded / total : 0);
    request.onerror = () => reject(new HttpError(0));
    request.onload = () => {
      const got = new Headers({ 'Retry-After': request.getResponseHeader('Retry-After') ?? '' });
      resolve(Promise.resolve().then(() => result(request.status, request.responseText, got)));
    };
    request.send(body);
  });
}

function result(status, text, headers) {
  let body;
  try {
    body = text ? JSON.parse(text) : undefined;
  } catch {
    body = text;
  }
  if (status < 200 || status >= 300) {
    throw new HttpError(status, body, headers);
  }
  return body;
}

const http = {
  get: (url, options) => send('GET', url, undefined, options),
  post: (url, data, options) => send('POST', url, data, options),
  put: (url, data, options) => send('PUT', url, data, options),
  patch: (url, data, options) => send('PATCH', url, data, options),
  delete: (url, data, options) => send('DELETE', url, data, options),
};

// --- notifications ------------------------------------------------------------------------------

function notify(message) {
  const shown = document.createElement('p');
  shown.textContent = message;
  document.getElementById('messages').append(shown);
  setTimeout(() => shown.remove(), 6000);
}

function ask(title, message, ok = 'OK', cancel = '') {
  const dialog = document.getElementById('question');
  document.getElementById('question-title').textContent = title;
  document.getElementById('question-text').textContent = message;
  document.getElementById('question-ok').textContent = ok;
  document.getElementById('question-cancel').textContent = cancel;
  document.getElementById('question-cancel').hidden = !cancel;
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'ok'), { once: true });
  });
}

const notifications = {
  notify,
  alert: (title, message, ok) => ask(title, message, ok),
  confirm: (title, message, ok, cancel = 'Cancel') => ask(title, message, ok, cancel),
};

// --- events -------------------------------------------------------------------------------------

const events = new EventTarget();
const eventDispatcher = {
  addListener: (name, listener) => events.addEventListener(name, listener),
  removeListener: (name, listener) => events.removeEventListener(name, listener),
  dispatch(name, detail) {
    const event = new CustomEvent(name, { detail });
    events.dispatchEvent(event);
    return event;
  },
};

// --- the platform -------------------------------------------------------------------------------

// There is no `translate`: the components bring their own texts. A host with one may have it.
const services = new Map(Object.entries({ http, notifications, eventDispatcher }));

export const platform = {
  type: 'web',
  has: (name) => services.has(name),
  get(name) {
    if (!services.has(name)) {
      throw new Error(`There is no service ${name}.`);
    }
    return services.get(name);
  },
  register: (name, service) => services.set(name, service),
};

// --- the components -----------------------------------------------------------------------------

async function show(tag, props) {
  const element = document.createElement(tag);
  await customElements.whenDefined(tag);
  const declared = customElements.get(tag).prototype;
  Object.entries(props)
    // Nothing but what the component declares itself: the address must not set `innerHTML`.
    .filter(([name]) => Object.hasOwn(declared, name))
    .forEach(([name, value]) => {
      element[name] = value;
    });
  document.getElementById('components').append(element);
}

function iconsFrom(path) {
  const config = document.createElement('limel-config');
  config.config = { iconPath: new URL(path, location.href).pathname };
  document.body.append(config);
}

const context = {
  limetype: query.get('limetype') ?? undefined,
  id: Number(query.get('id')) || undefined,
};
iconsFrom(document.body.dataset.icons);
const loader = document.createElement('lwc-limepkg-email-loader');
Object.assign(loader, { platform, context });
document.body.append(loader);

const props = JSON.parse(query.get('props') ?? '{}');
for (const tag of query.getAll('component').filter((each) => /^lwc-[a-z-]+$/.test(each))) {
  await show(tag, { ...props, platform, context });
}
document.documentElement.dataset.ready = 'true';
