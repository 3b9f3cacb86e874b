import { afterEach, describe, expect, it, vi } from '@stencil/vitest';

import { EditorElement } from './editor';
import { TextEditing } from './text-editing';
import type { Writing } from './writing';

const DATA = 'data:image/png;base64,iVBORw0KGgo=';

afterEach(() => {
  vi.unstubAllGlobals();
});

/** An editor like that of lime-elements: it leaves out what is pasted with a picture in it. */
function editing() {
  vi.stubGlobal(
    'DataTransfer',
    class {
      private readonly data = new Map<string, string>();
      setData = (type: string, text: string) => void this.data.set(type, text);
      getData = (type: string) => this.data.get(type) ?? '';
    },
  );
  vi.stubGlobal(
    'ClipboardEvent',
    class {
      constructor(
        readonly type: string,
        readonly given: { clipboardData: DataTransfer },
      ) {}
    },
  );
  const field = {
    innerHTML: '<p>Before</p>',
    isContentEditable: true,
    focus: () => undefined,
    getRootNode: () => ({ getSelection: () => null }),
    contains: () => false,
    ownerDocument: { getSelection: () => null },
    dispatchEvent({ given }: { given: { clipboardData: DataTransfer } }) {
      const pasted = given.clipboardData.getData('text/html');
      const kept = pasted.replace(/<(p|ul|table)>(?:(?!<\/\1>).)*<img(?:(?!<\/\1>).)*<\/\1>/g, '');
      field.innerHTML += kept;
      return false;
    },
  };
  const writing = {
    html: '<p>Before</p>',
    setText: (html: string) => void (writing.html = html),
  };
  const found = new TextEditing({
    snippets: {} as never,
    writing: () => writing as unknown as Writing,
    changed: () => undefined,
  });
  const editor = {
    shadowRoot: { querySelector: () => field },
    isConnected: true,
    flushPendingChanges: () => {
      const event = { stopPropagation: () => undefined, target: editor, detail: field.innerHTML };
      found.edited(event as unknown as Event);
      return Promise.resolve();
    },
  };
  found.editor = editor as unknown as EditorElement;
  return { editing: found, writing, field };
}

describe('what is inserted', () => {
  it('keeps its text and its pictures, also those that nobody can fetch', async () => {
    const { editing: found, writing } = editing();
    const template =
      '<p>Dear <img src="https://x.org/logo.png" alt="logo"> customer</p>' +
      `<table><tr><td><img src="${DATA}" alt="dot"> cell</td></tr></table><p>Bye</p>`;
    await found.insert(template);
    expect(writing.html).toBe(`<p>Before</p>${template}`);
    expect(found.html).toContain('<limepkg-picture image-id=');
    expect(found.html).not.toContain('<img');
  });

  it('stands at the end when the editor does not take all of it', async () => {
    const { editing: found, writing, field } = editing();
    field.dispatchEvent = () => {
      field.innerHTML += '<p>half</p>';
      return false;
    };
    await found.insert('<p>half and half</p>');
    expect(writing.html).toBe('<p>Before</p><p>half and half</p>');
  });
});

it('a text that comes back has the pictures that carry themselves', () => {
  const { editing: found } = editing();
  found.replace(`<p><img src="${DATA}" alt=""></p>`);
  const [, id = ''] = /image-id="([^"]+)"/.exec(found.html) ?? [];
  expect(found.inlineImages.getUrl(id)).toBe(DATA);
});
