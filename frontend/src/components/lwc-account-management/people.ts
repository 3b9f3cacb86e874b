/** Users of the CRM as the picker of lime-elements has them. */

import { Person } from '../../services/email-api/accounts';

export interface PersonItem {
  text: string;
  secondaryText: string;
  value: number;
}

const MOST_SHOWN = 20;

export function personItem({ id, name, email }: Person): PersonItem {
  return { text: name || email || `#${id}`, secondaryText: email, value: id };
}

/** The people whose name or address has all words of a query. */
export function foundPeople(people: readonly Person[], query: string): PersonItem[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return people
    .filter((each) => {
      const said = `${each.name} ${each.email}`.toLowerCase();
      return words.every((word) => said.includes(word));
    })
    .slice(0, MOST_SHOWN)
    .map(personItem);
}

/** The people of the picker's value; one who is not known any more keeps the id. */
export function chosenPeople(value: unknown, people: readonly Person[]): Person[] {
  const items = (Array.isArray(value) ? value : value ? [value] : []) as Partial<PersonItem>[];
  return items
    .filter((each): each is PersonItem => typeof each.value === 'number')
    .map((each) => personOf(each.value, people));
}

export function personOf(id: number, people: readonly Person[]): Person {
  return people.find((each) => each.id === id) ?? { id, name: '', email: '' };
}
