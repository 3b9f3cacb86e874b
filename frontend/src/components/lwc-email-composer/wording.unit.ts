import { describe, expect, it } from 'vitest';

import { bytesOfPictures, isEmpty, missingValues, replySubject } from './wording';
import { speaksOfFiles, textOf } from './wording';

describe('a forgotten attachment', () => {
  it.each([
    '<p>See the attached file.</p>',
    '<p>I attach the invoice</p>',
    '<p>Bifogar fakturan</p>',
    '<p>Se bilagan.</p>',
    '<p>bifogad fil</p>',
    '<p>Two ATTACHMENTS</p>',
  ])('%s', (html) => expect(speaksOfFiles(html)).toBe(true));

  it.each([
    '<p>Hello</p>',
    '<p>Reattachable</p>',
    '<p>bil agent</p>',
    '<p>Thanks</p><blockquote>see attached</blockquote>',
    '<p title="attached">Hi</p>',
  ])('not in %s', (html) => expect(speaksOfFiles(html)).toBe(false));
});

it.each([
  ['', true],
  ['<p></p>', true],
  ['<p> &nbsp;</p><p><br></p>', true],
  ['<p>x</p>', false],
  ['<p><img src="data:image/png;base64,AA=="></p>', false],
])('%j is empty: %s', (html, empty) => expect(isEmpty(html)).toBe(empty));

it('values that a template missed are found by their marks, each once', () => {
  expect(missingValues('<p>[parent.title?] [recipient.name?] [parent.title?] [x] [?]</p>')).toEqual(
    ['parent.title', 'recipient.name'],
  );
});

it.each([
  ['Printer', 'Re: Printer'],
  ['Re: Printer', 'Re: Printer'],
  ['SV: Printer', 'SV: Printer'],
  ['Recipe', 'Re: Recipe'],
  ['', ''],
])('the answer to %j has the subject %j', (subject, expected) =>
  expect(replySubject(subject)).toBe(expected),
);

it('pictures within the text count as what they have as files', () => {
  expect(bytesOfPictures('<img src="data:image/png;base64,AAAA"><img src="cid:x">')).toBe(3);
});

it('text is read without what cannot be seen', () => {
  expect(textOf('<style>p{}</style><p>a &amp; b</p>&lt;c')).toBe('a & b <c');
});
