import { expect, it } from 'vitest';

import { hasPictures, Pictures, withoutMarks } from './pictures';

const DATA = 'data:image/png;base64,iVBORw0KGgo=';

it('pictures come out of the editor as they went in, those that carry themselves too', () => {
  const pictures = new Pictures('p');
  const html =
    `<p>a <img src="${DATA}" alt="dot"> b</p>` +
    '<p><img alt="1 > 0" src="https://x.org/a.png?b=1&amp;c=2" style="width: 40px"></p>';
  const inEditor = pictures.toEditor(html);
  expect(inEditor).toBe(
    '<p>a <limepkg-picture image-id="p-1" alt="dot"></limepkg-picture> b</p>' +
      '<p><limepkg-picture image-id="p-2" alt="1 &gt; 0" width="40px"></limepkg-picture></p>',
  );
  expect([pictures.source('p-1'), pictures.source('p-2')]).toEqual([
    DATA,
    'https://x.org/a.png?b=1&c=2',
  ]);
  expect(pictures.fromEditor(inEditor)).toBe(
    `<p>a <img src="${DATA}" alt="dot"> b</p>` +
      '<p><img src="https://x.org/a.png?b=1&amp;c=2" alt="1 &gt; 0" style="width: 40px"></p>',
  );
});

it('the same picture has one name, so that nothing looks changed', () => {
  const pictures = new Pictures('p');
  const html = `<img src="${DATA}">`;
  expect(pictures.toEditor(html)).toBe(pictures.toEditor(html));
  expect(pictures.add(DATA)).toBe('p-1');
});

it('marks stand for pictures while they are inserted, and never get into a message', () => {
  const pictures = new Pictures('p');
  const marked = pictures.marked(`<p>x <img src='${DATA}' alt=dot width=20> y</p>`);
  expect(marked).toBe('<p>x ⟦picture:p-1⟧ y</p>');
  expect(pictures.fromEditor(marked)).toBe(
    `<p>x <img src="${DATA}" alt="dot" style="width: 20px"> y</p>`,
  );
  expect(withoutMarks('x ⟦picture:p-1⟧ y')).toBe('x  y');
});

it('a picture of another text is its words', () => {
  const html =
    '<p>a <limepkg-picture image-id="other-1" alt="Logo &amp; co"></limepkg-picture></p>';
  expect(new Pictures('p').fromEditor(html)).toBe('<p>a Logo &amp; co</p>');
});

it('an image without an address is none', () => {
  expect(new Pictures('p').marked('<p>a<img alt="x"> b</p>')).toBe('<p>a b</p>');
  expect([hasPictures('<p><img src="x"></p>'), hasPictures('<p>image</p>')]).toEqual([true, false]);
});
