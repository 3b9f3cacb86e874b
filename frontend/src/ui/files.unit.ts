import { describe, expect, it } from 'vitest';

import { englishTexts } from '../testing';
import { explainFile, formatSize, sortFiles } from './files';

const limits = { each: 100, together: 150, count: 3 };
const file = (name: string, size: number) => ({ name, size });

describe('sorting files', () => {
  it('takes what fits and says of each other one why it does not', () => {
    const files = [file('a', 100), file('b', 101), file('c', 60), file('d', 0), file('e', 50)];
    const { accepted, refused } = sortFiles([], files, limits);
    expect(accepted.map((each) => each.name)).toEqual(['a', 'e']);
    expect(refused.map((each) => [each.file.name, each.problem])).toEqual([
      ['b', 'too_large'],
      ['c', 'too_large_together'],
      ['d', 'empty'],
    ]);
  });

  it('counts those that are there already', () => {
    const present = [file('x', 1), file('y', 1), file('z', 1)];
    const { refused } = sortFiles(present, [file('a', 1)], limits);
    expect(refused.map((each) => each.problem)).toEqual(['too_many']);
  });
});

it('sizes are said in the language of the user', () => {
  expect(formatSize(999, 'en')).toBe('999 byte');
  expect(formatSize(3_900_000, 'en')).toBe('3.9 MB');
  expect(formatSize(3_900_000, 'sv')).toBe('3,9 MB');
});

it.each([
  ['empty', 'a.pdf is empty.'],
  ['too_large', 'a.pdf has 5 MB; a file may have 3.9 MB.'],
  ['too_large_together', 'a.pdf does not fit: all files together may have 18 MB.'],
  ['too_many', 'a.pdf is one too many: a message has at most 50 files.'],
] as const)('a file that is %s is explained', (problem, sentence) => {
  const texts = englishTexts();
  expect(explainFile(file('a.pdf', 5_000_000), problem, texts)).toBe(sentence);
});
