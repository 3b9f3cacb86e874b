import { describe, expect, it } from 'vitest';

import { asField, fromField, isPossible, presets } from './later';

const stockholm = { language: 'sv', timeZone: 'Europe/Stockholm' };
const auckland = { language: 'en', timeZone: 'Pacific/Auckland' };
const said = (now: string, locale = stockholm) =>
  presets(new Date(now), locale).map((each) => [each.name, asField(each.at, locale)]);

describe('proposed times', () => {
  it('are mornings of the user', () => {
    // A Tuesday, 10:20 in Stockholm.
    expect(said('2026-03-10T09:20:00Z')).toEqual([
      ['later_today', '2026-03-10T12:00'],
      ['tomorrow', '2026-03-11T08:00'],
      ['monday', '2026-03-16T08:00'],
    ]);
  });

  it('are not said twice, nor for an evening that is over', () => {
    // A Sunday evening, and still the same day at another end of the world.
    expect(said('2026-03-15T20:00:00Z')).toEqual([['tomorrow', '2026-03-16T08:00']]);
    expect(said('2026-03-15T20:00:00Z', auckland)[0]).toEqual(['later_today', '2026-03-16T11:00']);
  });

  it('stay 8 o’clock when the clocks change in the night', () => {
    expect(said('2026-03-28T12:00:00Z')[1]).toEqual(['tomorrow', '2026-03-29T08:00']);
    expect(presets(new Date('2026-03-28T12:00:00Z'), stockholm)[1]?.at.toISOString()).toBe(
      '2026-03-29T06:00:00.000Z',
    );
  });
});

it.each(['2026-01-31T23:59', '2026-07-01T00:00', '2026-10-25T12:30', '2026-12-31T23:30'])(
  '%s means the same when it is read back',
  (value) => {
    for (const locale of [stockholm, auckland]) {
      const instant = fromField(value, locale);
      expect(instant && asField(instant, locale)).toBe(value);
    }
  },
);

it('what is no time is none', () => {
  expect(fromField('', stockholm)).toBeUndefined();
  expect(fromField('tomorrow', stockholm)).toBeUndefined();
});

it('times lie in the future, within a year', () => {
  const now = new Date('2026-03-10T12:00:00Z');
  expect(isPossible(now, now)).toBe(false);
  expect(isPossible(new Date('2026-03-10T12:01:00Z'), now)).toBe(true);
  expect(isPossible(new Date('2027-03-11T12:00:00Z'), now)).toBe(false);
});
