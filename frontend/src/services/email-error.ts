/** The one error that the API layer throws, whatever went wrong and whatever host is below. */

/** Codes that are made here, because no answer of the endpoints came. */
export const UNREACHABLE = 'unreachable';
export const UNKNOWN = 'unknown_error';

export class EmailError extends Error {
  override readonly name = 'EmailError';

  /** Stable, for programs. */
  readonly code: string;

  /** The status of the answer; 0 when there was none. */
  readonly status: number;

  /** Sentences per field of the request; `a.0.b` is nested. */
  readonly errors: Readonly<Record<string, string[]>>;

  /** Under this id the request stands in the server's log. */
  readonly requestId: string;

  /** Seconds after which to try again, if the server said so. */
  readonly retryAfter?: number;

  /** The whole answer: some conflicts carry more (`newer`, `arrived`). */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(details: Record<string, unknown>, status: number, retryAfter?: number) {
    super(text(details.message) || `HTTP ${status}`);
    this.code = text(details.code) || (status === 0 ? UNREACHABLE : UNKNOWN);
    this.status = status;
    this.errors = sentences(details.errors);
    this.requestId = text(details.request_id);
    this.retryAfter = retryAfter;
    this.details = details;
  }

  /** Whether the same request may succeed later without a change. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 502;
  }
}

/** Whatever a host's HTTP service may throw: with the answer parsed, as text, or to be read. */
interface Thrown {
  status?: unknown;
  response?: unknown;
  body?: unknown;
  data?: unknown;
  headers?: unknown;
  message?: unknown;
}

/** Make an `EmailError` of what a host's HTTP service threw. */
export async function toEmailError(thrown: unknown): Promise<EmailError> {
  if (thrown instanceof EmailError) {
    return thrown;
  }
  const error = (isObject(thrown) ? thrown : {}) as Thrown;
  const answer = isResponse(error.response)
    ? error.response
    : isResponse(error)
      ? error
      : undefined;
  const status = Number(error.status ?? answer?.status ?? 0) || 0;
  const body = answer ? await read(answer) : (error.response ?? error.body ?? error.data);
  const details = parsed(body);
  const retryAfter = header(answer?.headers ?? error.headers, 'Retry-After');
  const seconds = retryAfter === undefined ? NaN : Number(retryAfter);
  return new EmailError(details, status, Number.isFinite(seconds) ? seconds : undefined);
}

async function read(answer: Response): Promise<string> {
  return answer.bodyUsed ? '' : answer.text();
}

function parsed(body: unknown): Record<string, unknown> {
  if (isObject(body)) {
    return body;
  }
  try {
    const found: unknown = JSON.parse(text(body));
    return isObject(found) ? found : {};
  } catch {
    // A proxy's page: its text says nothing to people.
    return {};
  }
}

function header(headers: unknown, name: string): string | undefined {
  if (headers instanceof Headers) {
    return headers.get(name) ?? undefined;
  }
  if (!isObject(headers)) {
    return undefined;
  }
  const found = headers[name] ?? headers[name.toLowerCase()];
  return typeof found === 'string' || typeof found === 'number' ? String(found) : undefined;
}

function sentences(errors: unknown): Record<string, string[]> {
  if (!isObject(errors)) {
    return {};
  }
  const entries = Object.entries(errors).map(([field, found]): [string, string[]] => [
    field,
    (Array.isArray(found) ? found : [found]).map(String),
  ]);
  return Object.fromEntries(entries);
}

function isResponse(value: unknown): value is Response {
  return isObject(value) && typeof value.text === 'function' && 'headers' in value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
