/** What is wrong with a template: before it is sent, and as the server says it. */

import { NewTemplate } from '../../services/email-api/templates';
import { EmailError } from '../../services/email-error';
import { Texts } from '../../translate';

export type Problems = Partial<Record<keyof NewTemplate, string[]>>;

/** A sentence of the server, with the line that it is about if it names one. */
export interface Problem {
  line?: number;
  sentence: string;
}

const LONGEST_NAME = 128;
const LONGEST_SUBJECT = 512;
const LANGUAGE = /^[a-z]{2,3}([-_][a-z0-9]+)*$/i;

/** Say what the server would refuse; nothing in it stands for a template that can be sent. */
export function problemsOf(template: NewTemplate, texts: Texts): Problems {
  const found: Problems = {};
  const name = template.name.trim();
  if (!name) {
    found.name = [texts.get('templates.error.name')];
  } else if (name.length > LONGEST_NAME) {
    found.name = [texts.get('templates.error.name_long', { limit: LONGEST_NAME })];
  }
  const language = template.language.trim();
  if (!LANGUAGE.test(language) || language.length > 16) {
    found.language = [texts.get('templates.error.language')];
  }
  if (template.subject.length > LONGEST_SUBJECT) {
    found.subject = [texts.get('templates.error.subject_long', { limit: LONGEST_SUBJECT })];
  }
  if (!template.body.trim()) {
    found.body = [texts.get('templates.error.body')];
  }
  return found;
}

/** Give the sentences of an error by field. */
export function problemsIn(error: unknown): Problems {
  return error instanceof EmailError ? { ...error.errors } : {};
}

/** Take the line out of a sentence such as `Line 3: There is no …`. */
export function withLine(sentence: string): Problem {
  const [, line] = /^Line (\d+):/.exec(sentence) ?? [];
  return line ? { line: Number(line), sentence } : { sentence };
}
