import { describe, expect, it } from 'vitest';

import { testPlatform } from './testing';
import { Texts, textsOf } from './translate';

const none = () => Promise.reject(new Error('no catalogue'));
const swedish = { 'limepkg_email.confirm.cancel': 'Avbryt' };

describe('texts', () => {
  it('are English without a host that translates', () => {
    const texts = new Texts(testPlatform(), 'en', none);
    expect(texts.get('confirm.cancel')).toBe('Cancel');
    expect(texts.get('error.request', { id: 'x1' })).toBe('In the log it is request x1.');
  });

  it('are those of the host when it has them', () => {
    const platform = testPlatform();
    const get = (key: string, params?: Record<string, unknown>) =>
      key === 'limepkg_email.error.request' ? `Ur loggen: ${String(params?.id)}` : key;
    platform.register('translate', { get });
    const texts = new Texts(platform, 'sv', none);
    expect(texts.get('error.request', { id: 'x1' })).toBe('Ur loggen: x1');
    expect(texts.get('confirm.cancel')).toBe('Cancel');
  });

  it('come from the catalogue of the language when the host has none', async () => {
    const asked: string[] = [];
    const texts = new Texts(testPlatform(), 'sv', async (language) => {
      asked.push(language);
      return swedish;
    });
    await texts.ready;
    expect(texts.get('confirm.cancel')).toBe('Avbryt');
    expect(asked).toEqual(['sv']);
  });

  it('are English when the catalogue cannot be had', async () => {
    const texts = new Texts(testPlatform(), 'sv', none);
    await texts.ready;
    expect(texts.get('confirm.cancel')).toBe('Cancel');
  });

  it.each(['en', 'fi'])('ask for no catalogue in %s', async (language) => {
    const asked: string[] = [];
    await new Texts(testPlatform(), language, async (each) => {
      asked.push(each);
      return {};
    }).ready;
    expect(asked).toEqual([]);
  });

  it('leave a placeholder that nobody fills, and do not fill values again', () => {
    const texts = new Texts(undefined, 'en', none);
    expect(texts.get('error.request')).toBe('In the log it is request {id}.');
    const params = { name: '{size}', size: '4 MB', limit: '3 MB' };
    expect(texts.get('file.too_large', params)).toBe('{size} has 4 MB; a file may have 3 MB.');
  });

  it('count', () => {
    const texts = new Texts(undefined, 'en', none);
    expect(texts.count('error.retry', 1)).toBe('Try again in 1 second.');
    expect(texts.count('error.retry', 5)).toBe('Try again in 5 seconds.');
  });

  it('are one object for a platform, and not for two', () => {
    const [first, second] = [testPlatform(), testPlatform()];
    expect(textsOf(first)).toBe(textsOf(first));
    expect(textsOf(first)).not.toBe(textsOf(second));
  });
});
