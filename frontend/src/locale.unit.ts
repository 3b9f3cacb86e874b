import { expect, it } from 'vitest';

import { languageOf, localeOf } from './locale';
import { Platform } from './platform';
import { testPlatform } from './testing';

const without: Platform = { has: () => false, get: () => undefined };

it('language and time zone are those of the session', () => {
  const platform = testPlatform(undefined, { language: 'sv_SE' });
  expect(localeOf(platform)).toEqual({ language: 'sv-SE', timeZone: 'Europe/Stockholm' });
  expect(languageOf(platform)).toBe('sv');
});

it('a language that is none is left out', () => {
  const platform = testPlatform(undefined, { language: 'not a language' });
  expect(localeOf(platform).language).toMatch(/^[a-z]{2}/);
});

it('there is always a language', () => {
  expect(languageOf(without)).toMatch(/^[a-z]{2,3}$/);
});
