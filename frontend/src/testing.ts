/** A platform for tests: it keeps what was asked, and answers what the test says. */

import { HttpOptions, Platform, Translate } from './platform';
import { ENGLISH } from './texts';
import { Texts } from './translate';

export interface Request {
  method: 'get' | 'post' | 'put' | 'delete';
  url: string;
  data?: unknown;
  options?: HttpOptions;
}

export interface TestPlatform extends Platform {
  /** Every request, in order. */
  requests: Request[];
  /** What the user was told or asked. */
  told: { kind: string; texts: (string | undefined)[] }[];
  register(name: string, service: unknown): void;
}

/** What a host has that translates: here it is English whatever the language. */
const translate: Translate = { get: (key) => TEXTS[key] ?? key };
const TEXTS: Record<string, string> = Object.fromEntries(
  Object.entries(ENGLISH).map(([key, text]) => [`limepkg_email.${key}`, text]),
);

/**
 * Make a platform; `answer` gives what a request is answered with, or throws (`httpError`).
 * `agree` is what the user answers to questions. It translates, so that no test waits for texts, but
 * for those with `translates: false`.
 */
export function testPlatform(
  answer: (request: Request) => unknown = () => ({}),
  { agree = true, language = 'en', translates = true } = {},
): TestPlatform {
  const requests: Request[] = [];
  const told: TestPlatform['told'] = [];
  const ask = (request: Request): Promise<unknown> => {
    requests.push(request);
    return new Promise((resolve) => resolve(answer(request)));
  };
  const tell =
    (kind: string) =>
    (...texts: (string | undefined)[]): Promise<boolean> => {
      told.push({ kind, texts });
      return Promise.resolve(agree);
    };
  const sending =
    (method: Request['method']) =>
    (url: string, data?: unknown, options?: HttpOptions): Promise<unknown> =>
      ask({ method, url, data, options });
  const services = new Map<string, unknown>([
    [
      'http',
      {
        get: (url: string, options?: HttpOptions) => ask({ method: 'get', url, options }),
        post: sending('post'),
        put: sending('put'),
        delete: sending('delete'),
      },
    ],
    ['notifications', { notify: tell('notify'), alert: tell('alert'), confirm: tell('confirm') }],
    ['state.application', { getSession: () => ({ language, timeZone: 'Europe/Stockholm' }) }],
  ]);
  if (translates) {
    services.set('translate', translate);
  }
  return {
    requests,
    told,
    has: (name) => services.has(name),
    get: (name) => services.get(name),
    register: (name, service) => void services.set(name, service),
  };
}

/** What a host's HTTP service throws for an answer that is an error. */
export function httpError(status: number, body: object | string, headers = {}): Error {
  return Object.assign(new Error(`HTTP ${status}`), {
    status,
    response: body,
    headers: new Headers(headers),
  });
}

/** The English texts, which are there at once. */
export function englishTexts(): Texts {
  return new Texts(testPlatform(), 'en');
}
