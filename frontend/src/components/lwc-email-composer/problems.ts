/** What is wrong with a message, by the part of the page that shows it. */

import { EmailError } from '../../services/email-error';

export type Part = 'account' | 'people' | 'subject' | 'text' | 'files' | 'time';

export type Problems = Partial<Record<Part, string>>;

const PARTS: Record<string, Part> = {
  account: 'account',
  recipients: 'people',
  followers: 'people',
  subject: 'subject',
  html: 'text',
  text: 'text',
  files: 'files',
  documents: 'files',
  draft_files: 'files',
  send_at: 'time',
};

/** Give the sentences of a refused message by part; `other` has no part of its own. */
export function problemsOf(error: EmailError | undefined): { parts: Problems; other: string[] } {
  const parts: Problems = {};
  const other: string[] = [];
  for (const [field, sentences] of Object.entries(error?.errors ?? {})) {
    const part = PARTS[field.split('.')[0] ?? ''];
    if (part) {
      parts[part] = [parts[part], ...sentences].filter(Boolean).join(' ');
    } else {
      other.push(...sentences.map((each) => `${field}: ${each}`));
    }
  }
  return { parts, other };
}
