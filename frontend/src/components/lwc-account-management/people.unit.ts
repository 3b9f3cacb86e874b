import { expect, it } from 'vitest';

import { foundPerson, personLabel, personOf } from './people';

const people = [
  { id: 1, name: 'Alva Lind', email: 'alva@example.com' },
  { id: 2, name: 'Bo Ek', email: 'bo@example.com' },
  { id: 3, name: 'Bo Ek', email: 'bo.ek@example.com' },
];

it('a user is found by words that only this one has', () => {
  expect(foundPerson(people, 'lind ALVA@')?.id).toBe(1);
  expect(foundPerson(people, 'bo.ek@')?.id).toBe(3);
  expect(foundPerson(people, 'bo')).toBeUndefined();
  expect(foundPerson(people, 'nobody')).toBeUndefined();
  expect(foundPerson(people, '  ')).toBeUndefined();
});

it('a user is chosen by the whole label, though other labels have its words', () => {
  const alike = [...people, { id: 4, name: 'Bo', email: '' }];
  expect(foundPerson(alike, 'Bo')?.id).toBe(4);
  expect(foundPerson(people, 'Bo Ek (bo@example.com)', true)?.id).toBe(2);
  expect(foundPerson(people, 'Alva Lind', true)).toBeUndefined();
});

it('one who is not known any more is not lost', () => {
  expect(personOf(7, people)).toEqual({ id: 7, name: '', email: '' });
  expect(personLabel(personOf(7, people))).toBe('#7');
});
