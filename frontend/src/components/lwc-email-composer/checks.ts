/** What is wrong with a message, or may be a slip, before the server is asked. */

import { Texts } from '../../translate';
import { Attached } from './attached';
import { Person, receivers } from './people';
import { Problems } from './problems';
import { isEmpty, missingValues, speaksOfFiles } from './wording';

/** A message as far as it can be checked here. */
export interface Checked {
  account: number;
  people: readonly Person[];
  subject: string;
  html: string;
  attached: readonly Attached[];
  isReply: boolean;
}

/** Give what is certainly wrong, by part; `most` is how many recipients a message may have. */
export function check(message: Checked, most: number, texts: Texts): Problems {
  const found: Problems = {};
  const people = checkPeople(message.people, most, texts);
  if (people) {
    found.people = people;
  }
  if (!message.account) {
    found.account = texts.get('composer.no_account');
  }
  if (!message.isReply && !message.subject.trim()) {
    found.subject = texts.get('composer.no_subject');
  }
  if (isEmpty(message.html)) {
    found.text = texts.get('composer.no_text');
  }
  if (message.attached.some((each) => each.error)) {
    found.files = texts.get('composer.wrong_files');
  }
  return found;
}

/** Give what may be a slip, as sentences to ask about. */
export function doubts(message: Checked, texts: Texts): string[] {
  const found: string[] = [];
  const missing = missingValues(`${message.subject} ${message.html}`);
  if (missing.length) {
    found.push(texts.get('composer.missing', { names: missing.join(', ') }));
  }
  const shows = message.attached.length > 0 || /<img\b/i.test(message.html);
  if (!shows && speaksOfFiles(message.html)) {
    found.push(texts.get('composer.forgotten'));
  }
  return found;
}

function checkPeople(people: readonly Person[], most: number, texts: Texts): string {
  const wrong = people.filter((each) => each.chosen && each.problem);
  const count = receivers(people).length;
  if (wrong.length) {
    const names = wrong.map((each) => each.email).join(', ');
    return texts.get('composer.wrong_people', { names });
  }
  if (!count) {
    return texts.get('composer.nobody');
  }
  return most && count > most ? texts.get('composer.too_many', { limit: most }) : '';
}
