import { describe, expect, it } from 'vitest';

import { addPeople, draftOf, followChanges, fromFollowers, receivers } from './people';
import { targetOf, toggle } from './people';

const anna = { id: 1, name: 'Anna', email: 'anna@x.se', active: true };
const bo = { id: 2, name: 'Bo', email: 'bo@x.se', active: false };
const own = ['support@x.se'];
const emails = (people: { email: string }[]) => people.map((each) => each.email);

describe('recipients', () => {
  it('are the active followers until somebody chooses', () => {
    const people = fromFollowers([anna, bo]);
    expect(emails(receivers(people))).toEqual(['anna@x.se']);
    expect(targetOf(people)).toEqual({ followers: [1], recipients: [] });
    expect(draftOf(people)).toEqual({ followers: null, recipients: [] });
  });

  it('are asked in again by being named when they had left', () => {
    const people = toggle(fromFollowers([anna, bo]), 'BO@x.se');
    expect(targetOf(people)).toEqual({
      followers: [1],
      recipients: [{ email: 'bo@x.se', name: 'Bo', limetype: '', id: null }],
    });
    expect(draftOf(people).followers).toEqual([1, 2]);
  });

  it('are merged when the same address is added twice', () => {
    let people = toggle(fromFollowers([anna]), 'anna@x.se');
    people = addPeople(people, [{ email: 'Anna@X.se', name: 'A' }, { email: 'c@x.se' }], own);
    people = addPeople(people, [{ email: 'C@x.se', name: 'Cia' }], own);
    expect(people.map(({ email, name, chosen }) => [email, name, chosen])).toEqual([
      ['anna@x.se', 'Anna', true],
      ['c@x.se', 'Cia', true],
    ]);
  });

  it('that cannot be written to stay in sight and get nothing', () => {
    const people = addPeople(
      [],
      [
        { email: 'nonsense', name: '' },
        { email: 'Support@x.se', name: '' },
        { email: ' ', name: '' },
        { email: 'd@x.se', name: 'D', limetype: 'person', id: 7 },
      ],
      own,
    );
    expect(people.map((each) => each.problem)).toEqual(['invalid', 'own', undefined]);
    expect(targetOf(people).recipients).toEqual([
      { email: 'd@x.se', name: 'D', limetype: 'person', id: 7 },
    ]);
    expect(draftOf(people).recipients).toHaveLength(3);
  });

  it('that were added are taken away, and followers only switched off', () => {
    const people = addPeople(fromFollowers([anna]), [{ email: 'c@x.se', name: '' }], own);
    const left = toggle(toggle(people, 'c@x.se'), 'anna@x.se');
    expect(left.map((each) => [each.email, each.chosen])).toEqual([['anna@x.se', false]]);
  });
});

describe('who follows meanwhile', () => {
  it('is told, and the choices of the author stay', () => {
    const before = toggle(fromFollowers([anna, { ...bo, active: true }]), 'bo@x.se');
    const cia = { id: 3, name: 'Cia', email: 'c@x.se', active: true };
    const now = followChanges(before, [anna, { ...bo, active: true }, cia]);
    expect(emails(now.joined)).toEqual(['c@x.se']);
    expect(now.left).toEqual([]);
    expect(now.people.map((each) => each.chosen)).toEqual([true, false, true]);
  });

  it('left: gone or switched off by somebody else', () => {
    const before = fromFollowers([anna, { ...bo, active: true }]);
    const now = followChanges(before, [{ ...anna, active: false }]);
    expect(emails(now.left)).toEqual(['anna@x.se', 'bo@x.se']);
    expect(receivers(now.people)).toEqual([]);
  });

  it('is the one who was added by hand, under their new number', () => {
    const before = addPeople([], [{ email: 'anna@x.se', name: '' }], own);
    const now = followChanges(before, [anna]);
    expect(now.joined).toEqual([]);
    expect(targetOf(now.people)).toEqual({ followers: [1], recipients: [] });
  });
});
