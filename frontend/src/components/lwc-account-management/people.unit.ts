import { expect, it } from 'vitest';

import { chosenPeople, foundPeople, personItem, personOf } from './people';

const people = [
  { id: 1, name: 'Alva Lind', email: 'alva@example.com' },
  { id: 2, name: 'Bo Ek', email: 'bo@example.com' },
];

it('people are found by words of their name and address', () => {
  expect(foundPeople(people, 'lind ALVA@').map((each) => each.value)).toEqual([1]);
  expect(foundPeople(people, '')).toHaveLength(2);
  expect(foundPeople(people, 'nobody')).toEqual([]);
});

it('one who is not known any more is not lost', () => {
  expect(personOf(7, people)).toEqual({ id: 7, name: '', email: '' });
  expect(personItem(personOf(7, people)).text).toBe('#7');
  const value = [{ text: 'Bo', value: 2 }, { text: 'x', value: 7 }, { text: 'typed' }];
  expect(chosenPeople(value, people).map((each) => each.id)).toEqual([2, 7]);
  expect(chosenPeople(undefined, people)).toEqual([]);
});
