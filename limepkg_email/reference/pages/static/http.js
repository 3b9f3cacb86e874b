// Requests of the web components, as Lime's platform makes them: paths below the application.

import { signedOut } from "./session.js";

const _here = document.body.dataset;
const _writing = new Set();

/** What a refusal is thrown as; `response` is the parsed body. */
class HttpError extends Error {
  constructor(status, response, headers = new Headers()) {
    super(`HTTP ${status}`);
    Object.assign(this, { status, response, headers });
  }
}

export const http = {
  get: (url, options) => send("GET", url, undefined, options),
  post: (url, data, options) => send("POST", url, data, options),
  put: (url, data, options) => send("PUT", url, data, options),
  patch: (url, data, options) => send("PATCH", url, data, options),
  delete: (url, data, options) => send("DELETE", url, data, options),
};

/** Wait until everything that components have handed in is answered, whatever the answer is. */
export async function settled() {
  // An element that was just taken off the page hands in what it holds first.
  await new Promise((resolve) => setTimeout(resolve));
  await Promise.allSettled([..._writing]);
}

function send(method, url, data, options = {}) {
  const request = transmit(method, url, data, options);
  if (method !== "GET") {
    _writing.add(request);
    request.catch(() => {}).finally(() => _writing.delete(request));
  }
  return request;
}

async function transmit(method, url, data, { params, headers: more, responseType, onUploadProgress }) {
  const isForm = data instanceof FormData;
  const headers = { Accept: "application/json", ...more };
  if (method !== "GET") headers["X-CSRF-Token"] = _here.token;
  if (method !== "GET" && !isForm) headers["Content-Type"] = "application/json";
  const body = method === "GET" || isForm ? data : JSON.stringify(data ?? {});
  if (isForm && onUploadProgress) return upload(method, address(url, params), headers, body, onUploadProgress);
  const response = await fetch(address(url, params), { method, headers, body });
  if (response.ok && responseType === "blob") return response.blob();
  return result(response.status, await response.text(), response.headers);
}

function address(url, params) {
  const found = new URL(`/${encodeURIComponent(_here.application)}/${url}`, location.origin);
  for (const [name, value] of Object.entries(params ?? {})) found.searchParams.set(name, value);
  return found;
}

// `fetch` does not tell how much has been sent.
function upload(method, url, headers, body, onUploadProgress) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded, total }) => onUploadProgress(total ? loaded / total : 0);
    request.onerror = () => reject(new HttpError(0));
    request.onload = () => {
      const got = new Headers({ "Retry-After": request.getResponseHeader("Retry-After") ?? "" });
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
  if (status >= 200 && status < 300) return body;
  if (status === 401) signedOut();
  throw new HttpError(status, body, headers);
}
