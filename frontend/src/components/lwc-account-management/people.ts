/** Users of the CRM, as an account's form names and finds them. */

import { Person } from '../../services/email-api/accounts';

/** What a user is called in the list; the address tells apart who has the same name. */
export function personLabel({ id, name, email }: Person): string {
  return (name && email ? `${name} (${email})` : name || email) || `#${id}`;
}

/**
 * The one whose label was typed; unless it has to be the whole label, else the only one whose label
 * has all the words.
 */
export function foundPerson(
  people: readonly Person[],
  typed: string,
  whole = false,
): Person | undefined {
  const words = typed.toLowerCase().split(/\s+/);
  const found = people.filter((each) =>
    words.every((word) => personLabel(each).toLowerCase().includes(word)),
  );
  const only = !whole && typed.trim() && found.length === 1 ? found[0] : undefined;
  return people.find((each) => personLabel(each) === typed) ?? only;
}

/** The user of this id; one who is not known any more keeps the id. */
export function personOf(id: number, people: readonly Person[]): Person {
  return people.find((each) => each.id === id) ?? { id, name: '', email: '' };
}
