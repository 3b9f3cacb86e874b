/** Errors as sentences for people, with what to do about them. */

import { EmailError } from '../services/email-error';
import { TextKey, Texts } from '../translate';

/** By the code of the error; others say themselves what is wrong. */
const BY_CODE: Record<string, TextKey> = {
  unreachable: 'error.unreachable',
  unauthorized: 'error.unauthorized',
  forbidden: 'error.forbidden',
  not_found: 'error.not_found',
  setup_required: 'error.setup_required',
  internal_error: 'error.internal',
  unknown_error: 'error.internal',
  engine_unavailable: 'error.engine_unavailable',
  database_unavailable: 'error.unavailable',
};

/** Give one or more sentences on what went wrong, with the request's id where a log is needed. */
export function explain(error: unknown, texts: Texts): string {
  if (!(error instanceof EmailError)) {
    return texts.get('error.internal');
  }
  const key = BY_CODE[error.code];
  const sentence = key ? texts.get(key) : error.message || texts.get('error.internal');
  const parts = [sentence];
  if (error.retryAfter !== undefined) {
    parts.push(texts.count('error.retry', Math.ceil(error.retryAfter)));
  }
  if (error.status >= 500 && error.requestId) {
    parts.push(texts.get('error.request', { id: error.requestId }));
  }
  return parts.join(' ');
}

/** Give what is wrong with a field, for the helper text below it; empty when nothing is. */
export function fieldError(error: unknown, field: string): string {
  return error instanceof EmailError ? (error.errors[field] ?? []).join(' ') : '';
}

/** Give what is wrong with fields that a form does not show, so that no sentence is lost. */
export function otherErrors(error: unknown, shown: readonly string[]): string[] {
  if (!(error instanceof EmailError)) {
    return [];
  }
  return Object.entries(error.errors)
    .filter(([field]) => !shown.includes(field))
    .flatMap(([field, sentences]) => sentences.map((each) => (field ? `${field}: ${each}` : each)));
}
