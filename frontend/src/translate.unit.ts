import { describe, expect, it } from 'vitest';

import { englishTexts, testPlatform } from './testing';
import { Catalogue, Texts, textsOf } from './translate';

const CATALOGUES: Record<string, Catalogue> = {
  en: { 'confirm.cancel': 'Cancel', 'error.request': 'In the log it is request {id}.' },
  sv: { 'confirm.cancel': 'Avbryt' },
};
const silent = () => testPlatform(undefined, { translates: false });

/** Gives the catalogues above, and keeps which were asked for. */
function shelf(found = CATALOGUES) {
  const asked: string[] = [];
  const load = async (language: string): Promise<Catalogue> => {
    asked.push(language);
    const catalogue = found[language];
    if (!catalogue) {
      throw new Error('no catalogue');
    }
    return catalogue;
  };
  return { asked, load };
}

describe('texts', () => {
  it('are those of the host when it has them, at once and without asking for ours', async () => {
    const platform = silent();
    const known: Record<string, string> = {
      'limepkg_email.probe': 'E-post',
      'limepkg_email.error.request': 'Ur loggen: {id}',
    };
    platform.register('translate', { get: (key: string) => known[key] ?? key });
    const { asked, load } = shelf();
    const texts = new Texts(platform, 'sv', load);
    expect(texts.get('error.request', { id: 'x1' })).toBe('Ur loggen: x1');
    await texts.ready;
    expect(asked).toEqual([]);
  });

  it.each([
    ['en', 'Cancel'],
    ['sv', 'Avbryt'],
  ])(
    'come from the catalogue of the language (%s) when the host has none',
    async (language, text) => {
      const { asked, load } = shelf();
      const texts = new Texts(silent(), language, load);
      await texts.ready;
      await texts.ready;
      expect(texts.get('confirm.cancel')).toBe(text);
      expect(asked).toEqual([language]);
    },
  );

  it('are English when the catalogue cannot be had, or there is none', async () => {
    const { asked, load } = shelf({ en: { 'confirm.cancel': 'Cancel' } });
    const texts = new Texts(silent(), 'fi', load);
    await texts.ready;
    expect(texts.get('confirm.cancel')).toBe('Cancel');
    expect(asked).toEqual(['fi', 'en']);
  });

  it('are what their keys say when nothing can be had, and asked for again by the next', async () => {
    const found: Record<string, Catalogue> = {};
    const { asked, load } = shelf(found);
    const texts = new Texts(silent(), 'sv', load);
    await texts.ready;
    expect(texts.get('error.not_found')).toBe('Not found');
    expect(texts.count('unread.conversations', 2)).toBe('Conversations');
    found.sv = { 'error.not_found': 'Finns inte.' };
    await texts.ready;
    expect(texts.get('error.not_found')).toBe('Finns inte.');
    expect(asked).toEqual(['sv', 'en', 'sv']);
  });

  it('leave a placeholder that nobody fills, and do not fill values again', () => {
    const texts = englishTexts();
    expect(texts.get('error.request')).toBe('In the log it is request {id}.');
    const params = { name: '{size}', size: '4 MB', limit: '3 MB' };
    expect(texts.get('file.too_large', params)).toBe('{size} has 4 MB; a file may have 3 MB.');
  });

  it('count', () => {
    const texts = englishTexts();
    expect(texts.count('error.retry', 1)).toBe('Try again in 1 second.');
    expect(texts.count('error.retry', 5)).toBe('Try again in 5 seconds.');
  });

  it('are one object for a platform, and not for two', () => {
    const [first, second] = [testPlatform(), testPlatform()];
    expect(textsOf(first)).toBe(textsOf(first));
    expect(textsOf(first)).not.toBe(textsOf(second));
  });
});
