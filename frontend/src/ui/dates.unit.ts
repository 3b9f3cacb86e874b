import { describe, expect, it } from 'vitest';

import { exactDate, relativeDate, shortDate } from './dates';

const english = { language: 'en-GB', timeZone: 'Europe/Stockholm' };
const swedish = { language: 'sv', timeZone: 'Europe/Stockholm' };
const now = new Date('2026-03-10T12:00:00Z');

describe('relative dates', () => {
  it.each([
    ['2026-03-10T11:59:30Z', 'now'],
    ['2026-03-10T11:59:00Z', '1 minute ago'],
    ['2026-03-10T12:20:00Z', 'in 20 minutes'],
    ['2026-03-10T09:00:00Z', '3 hours ago'],
    ['2026-03-09T22:30:00Z', 'yesterday'],
    ['2026-03-11T12:00:00Z', 'tomorrow'],
    ['2026-03-06T12:00:00Z', '4 days ago'],
    ['2026-02-01T12:00:00Z', '1 Feb'],
    ['2025-02-01T12:00:00Z', '1 Feb 2025'],
    ['nonsense', ''],
  ])('%s is %s', (instant, said) => {
    const days = relativeDate(instant, { ...english, timeZone: 'UTC' }, now);
    expect(days).toBe(said);
  });

  it('count days by the midnight of the user', () => {
    const instant = '2026-03-09T23:30:00Z';
    expect(relativeDate(instant, english, now)).toBe('12 hours ago');
    expect(relativeDate(instant, { ...english, timeZone: 'UTC' }, now)).toBe('yesterday');
  });

  it('are in the language of the user', () => {
    expect(relativeDate('2026-03-09T12:00:00Z', swedish, now)).toBe('i går');
  });
});

it('dates without a time leave out the present year', () => {
  expect(shortDate('2026-01-31T23:30:00Z', english, now)).toBe('1 Feb');
});

it('exact dates are in the time zone of the user', () => {
  expect(exactDate('2026-03-10T12:00:00Z', swedish)).toContain('13:00');
});
