import { expect, it } from 'vitest';

import { still } from './still';

it.each([
  ['<p style="color: red">x</p>', '<p data-style="color: red">x</p>'],
  [
    '<img alt="a > b" src="https://x.example/p">',
    '<img alt="a > b" data-src="https://x.example/p">',
  ],
  ['<p>a style="x" b</p>', '<p>a style="x" b</p>'],
  ['<a title="&lt; style=" style="x">y</a>', '<a title="&lt; style=" data-style="x">y</a>'],
])('nothing of %s is loaded or refused while it is parsed', (html, expected) => {
  expect(still(html)).toBe(expected);
});
