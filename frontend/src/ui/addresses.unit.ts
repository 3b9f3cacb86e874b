import { describe, expect, it } from 'vitest';

import { formatAddress, isAddress, parseAddresses } from './addresses';

describe('a pasted list', () => {
  it.each([
    ['A <a@x.se>, b@y.se', ['A|a@x.se', '|b@y.se']],
    ['"Berg, Ann" <ann@x.se>; Bo <bo@y.se>', ['Berg, Ann|ann@x.se', 'Bo|bo@y.se']],
    ['a@x.se\nb@y.se\r\n c@z.se ', ['|a@x.se', '|b@y.se', '|c@z.se']],
    ['a@x.se b@y.se', ['|a@x.se', '|b@y.se']],
    ['a@x.se, A@X.SE', ['|a@x.se']],
    ['a@x.se, Ann <a@x.se>', ['Ann|a@x.se']],
    ['"say \\"hi\\"" <a@x.se>', ['say "hi"|a@x.se']],
    ["'Ann Berg' <mailto:a@x.se>", ['Ann Berg|a@x.se']],
    ['mailto:a@x.se', ['|a@x.se']],
    ['<a@x.se>', ['|a@x.se']],
    ['Ann < a@x.se >', ['Ann|a@x.se']],
    ['räksmörgås@exämple.se', ['|räksmörgås@exämple.se']],
    ['5" screen <a@x.se>, b@y.se', ['5" screen|a@x.se', '|b@y.se']],
    ['Ann Berg, b@y.se', ['|Ann Berg', '|b@y.se']],
    ['Ann <broken, b@y.se', ['|Ann <broken, b@y.se']],
    [' ,; \n', []],
    ['', []],
  ])('%j', (text, expected) => {
    expect(parseAddresses(text).map(({ name, email }) => `${name}|${email}`)).toEqual(expected);
  });

  it('of thousands is read in no time', () => {
    const many = Array.from({ length: 5000 }, (_, index) => `"A, B" <a${index}@x.se>`).join(', ');
    const begun = performance.now();
    expect(parseAddresses(many)).toHaveLength(5000);
    expect(performance.now() - begun).toBeLessThan(1000);
  });

  it('is what addresses are written as', () => {
    const addresses = [
      { name: 'Berg, "Ann" \\ Co', email: 'ann@x.se' },
      { name: '', email: 'b@y.se' },
      { name: 'Åsa Öst', email: 'c@z.se' },
    ];
    expect(parseAddresses(addresses.map(formatAddress).join(', '))).toEqual(addresses);
  });
});

describe('addresses', () => {
  it.each(['a@x.se', "o'neil+tag@sub.example.com", 'å@exämple.se', 'a.b@x-y.se'])('%s', (text) => {
    expect(isAddress(text)).toBe(true);
  });

  it.each(['', 'a', 'a@', '@x.se', 'a@x', 'a b@x.se', 'a@x..se', '.a@x.se', 'a@x.se.', 'a,b@x.se'])(
    'not %j',
    (text) => {
      expect(isAddress(text)).toBe(false);
    },
  );

  it('not one that no server would take for its length', () => {
    expect(isAddress(`${'a'.repeat(250)}@x.se`)).toBe(false);
  });
});
