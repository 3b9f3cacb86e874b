import { describe, expect, it } from '@stencil/vitest';

import { cleanPasted, hasText } from './pasted-html';

describe('what is pasted', () => {
  it('from Google Docs is bold and slanted only where it was there', () => {
    const html =
      '<b style="font-weight:normal"><span style="font-weight:700">Bold</span> ' +
      '<span style="font-style:italic;font-weight:400">slanted</span></b>';
    expect(cleanPasted(html)).toBe(
      '<span><strong>Bold</strong></span> <span><em>slanted</em></span>',
    );
  });

  it('from Word keeps its lists', () => {
    const item = (marker: string, text: string): string =>
      `<p style="mso-list:l0"><span style="mso-list:Ignore">${marker}</span>${text}</p>`;
    const html = `${item('·', 'one')}${item('·', 'two')}<p>between</p>${item('1.', 'first')}`;
    expect(cleanPasted(html)).toBe(
      '<ul><li>one</li><li>two</li></ul><p>between</p><ol><li>first</li></ol>',
    );
  });

  it('from Word is bold and slanted as it is there', () => {
    const html =
      "<p class=MsoNormal style='mso-pagination:none'><b\n" +
      "style='mso-bidi-font-weight:normal'>bold</b> <i style='mso-bidi-font-style:normal'>slanted</i> " +
      "<span style='mso-bidi-font-weight:bold;mso-bidi-font-style:italic'>plain</span></p>";
    expect(cleanPasted(html)).toBe(
      '<p class="MsoNormal"><b>bold</b> <i>slanted</i> <span>plain</span></p>',
    );
  });

  it('gives a page nothing to refuse, and is otherwise as it was', () => {
    const html =
      '<style>p { color: red }</style><p title="a style=b" style=color:red lang=en>x < y</p>';
    expect(cleanPasted(html)).toBe('<p title="a style=b" lang="en">x &lt; y</p>');
  });

  it('has the text around pictures that cannot be fetched, and those that carry themselves', () => {
    const html =
      '<p>a <img src="file:///C:/x.png" alt="logo"> b</p><img src="data:image/png;base64,x">';
    expect(cleanPasted(html)).toBe('<p>a logo b</p><img src="data:image/png;base64,x">');
    expect([hasText('<img src="x">'), hasText('<p>a</p>')]).toEqual([false, true]);
  });
});
