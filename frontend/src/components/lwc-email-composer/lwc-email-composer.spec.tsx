import { afterEach, describe, expect, h, it, render, vi } from '@stencil/vitest';

import { httpError, Request, testPlatform } from '../../testing';
import './lwc-email-composer';
import './lwc-limepkg-email-attachments';
import './lwc-limepkg-email-recipients';

const opening = {
  conversation: 3,
  subject: 'Printer',
  account: 2,
  newest_message: 9,
  followers: [{ id: 1, name: 'Anna', email: 'anna@x.se', active: true }],
  own_addresses: ['support@x.se'],
  signature: '<p>Alva</p>',
  undo_seconds: 10,
  limits: { file_size: 100, files_together: 150, files: 3, recipients: 5 },
};
const account = { id: 2, email: 'support@x.se', name: 'Support', signature: '', language: 'en' };
const content = { subject: '', html: '', recipients: [], followers: null, files: [] };
const submitted = {
  conversation: 3,
  conversationmessage: 20,
  messagefollowers: [30],
  repeated: false,
};

const usual = (request: Request): unknown => {
  const answers: Record<string, unknown> = {
    'get composer/': opening,
    'get draft/': { version: 0, newest_message: 0, content },
    'put draft/': { version: 1, newest_message: 9, content },
    'get user/account/': { items: [account], total: 1 },
    'get template/': { items: [], total: 0 },
    'get snippet/': { items: [], total: 0 },
    'get feed/': { items: [], total: 0 },
    'get recipients/': { items: [] },
    'post message/2/': submitted,
  };
  return answers[`${request.method} ${request.url.replace('limepkg-email/', '')}`];
};

let unmount: (() => void) | undefined;
afterEach(() => {
  unmount?.();
  vi.restoreAllMocks();
});

async function open(answer = usual, props: object = {}, options = {}) {
  const platform = testPlatform(answer, options);
  const result = await render(
    <lwc-email-composer
      platform={platform}
      context={{ limetype: 'conversation', id: 3 }}
      {...props}
    />,
  );
  unmount = result.unmount;
  const settle = async () => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    await result.waitForChanges();
  };
  await settle();
  const inside = (selector: string) => result.root.shadowRoot?.querySelector(selector);
  const write = async (html: string) => {
    const editor = inside('limel-text-editor');
    editor?.dispatchEvent(new CustomEvent('change', { detail: html, bubbles: true }));
    await settle();
  };
  const press = async (selector: string) => {
    inside(selector)?.dispatchEvent(new MouseEvent('click', { bubbles: true }));
    await settle();
  };
  return { platform, root: result.root, inside, write, press, settle, setProps: result.setProps };
}

/** The documents of these tests keep no account of the focus. */
function focusIn(root: HTMLElement): () => Element | null {
  let active: Element | null = null;
  const current = (): Element | null => (active?.isConnected ? active : null);
  const take = (element: Element): void => void (active = element);
  let proto: object = root;
  while (!Object.hasOwn(proto, 'focus')) {
    proto = Object.getPrototypeOf(proto) as object;
  }
  vi.spyOn(proto as HTMLElement, 'focus').mockImplementation(function (this: HTMLElement) {
    take(this);
  });
  Object.defineProperty(root.shadowRoot, 'activeElement', { get: current });
  Object.defineProperty(root.ownerDocument, 'activeElement', {
    get: () => root,
    configurable: true,
  });
  return current;
}

describe('the composer', () => {
  it('shows account, recipients, subject and signature of an answer', async () => {
    const { inside } = await open();
    expect(inside('.from')?.textContent).toContain('Support <support@x.se>');
    expect(inside('select')).toBeNull();
    expect((inside('input[name=subject]') as HTMLInputElement).value).toBe('Re: Printer');
    expect(inside('.signature iframe')?.getAttribute('sandbox')).toBe('allow-same-origin');
    expect(inside('.send')?.textContent).toBe('Send');
  });

  it('lets the author choose between accounts', async () => {
    const other = { ...account, id: 5, email: 'sales@x.se', name: 'Sales' };
    const { inside } = await open((request) =>
      request.url.includes('user/account') ? { items: [account, other], total: 2 } : usual(request),
    );
    const options = Array.from(inside('select')?.querySelectorAll('option') ?? []);
    expect(options.map((each) => each.textContent)).toEqual([
      'Support <support@x.se>',
      'Sales <sales@x.se>',
    ]);
  });

  it('sends what was written and tells the host', async () => {
    const { root, inside, write, press, platform } = await open();
    const heard: unknown[] = [];
    root.addEventListener('sent', (event) => heard.push((event as CustomEvent).detail));
    await write('<p>Hello</p>');
    await press('.send');
    expect(heard).toEqual([submitted]);
    expect(inside('[data-notice=sent]')?.textContent).toContain('On its way');
    expect(inside('[data-action=undo]')).not.toBeNull();
    expect(platform.requests.some((each) => each.method === 'post')).toBe(true);
  });

  it('gives the focus to Undo after sending, and passes it on when that goes away', async () => {
    const quick = { ...opening, undo_seconds: 1 };
    const { root, inside, write, press, settle } = await open((request) =>
      request.url.includes('composer') ? quick : usual(request),
    );
    await write('<p>Hello</p>');
    const focused = focusIn(root);
    await press('.send');
    expect(focused()?.getAttribute('data-action')).toBe('undo');
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await settle();
    expect(inside('[data-action=undo]')).toBeNull();
    expect(focused()?.className).toContain('send');
  });

  it('leads to the first thing that is wrong', async () => {
    const { root, inside, write, press, setProps } = await open();
    await setProps({ context: { limetype: 'helpdesk', id: 7 }, mode: 'new' });
    await write('<p>Hello</p>');
    inside('lwc-limepkg-email-recipients')?.dispatchEvent(
      new CustomEvent('addPeople', { detail: [{ email: 'c@x.se', name: '' }] }),
    );
    const subject = inside('input[name=subject]') as HTMLInputElement;
    subject.value = '';
    subject.dispatchEvent(new Event('input'));
    const focused = focusIn(root);
    await press('.send');
    expect(focused()).toBe(subject);
  });

  it('marks what is wrong, as text and for screen readers', async () => {
    const { inside, press } = await open();
    await press('.send');
    expect(inside('.text .wrong')?.textContent).toBe('Write a message.');
    expect(inside('.text .wrong')?.getAttribute('role')).toBe('alert');
  });

  it('keeps everything when sending fails, and offers to try again', async () => {
    const { inside, write, press } = await open((request) => {
      if (request.method === 'post') {
        throw httpError(503, { code: 'engine_unavailable', message: 'Away.' });
      }
      return usual(request);
    });
    await write('<p>Hello</p>');
    await press('.send');
    expect(inside('[data-notice=error]')?.textContent).toContain('Everything is kept');
    expect(inside('[data-action=retry]')).not.toBeNull();
  });

  it('asks about a forgotten attachment and does not send when the author says no', async () => {
    const { write, press, platform } = await open(usual, {}, { agree: false });
    await write('<p>See the attached invoice</p>');
    await press('.send');
    expect(platform.told[0]?.texts[1]).toContain('nothing is attached');
    expect(platform.requests.some((each) => each.method === 'post')).toBe(false);
  });

  it('folds up by Escape, and keeps what was written', async () => {
    const { root, inside, write, press, settle } = await open();
    await write('<p>Hello</p>');
    root.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape' }));
    await settle();
    expect(inside('.composer')).toBeNull();
    expect(inside('.line')?.textContent).toContain('Continue your draft');
    await press('.line');
    expect(inside('limel-text-editor')?.getAttribute('value')).toBe('<p>Hello</p>');
  });

  it('does not begin again when the host gives the same context anew', async () => {
    const { platform, setProps, settle } = await open();
    const before = platform.requests.length;
    await setProps({ context: { limetype: 'conversation', id: 3 } });
    await settle();
    expect(platform.requests).toHaveLength(before);
  });

  it('says what is wrong when it cannot be opened', async () => {
    const { inside } = await open(() => {
      throw httpError(404, { code: 'not_found', message: 'No.' });
    });
    expect(inside('[data-notice=unavailable]')?.textContent).toContain('does not exist');
    expect(inside('[data-action=reload]')).not.toBeNull();
  });
});

describe('recipients', () => {
  const anna = { email: 'anna@x.se', name: 'Anna', follower: 1, active: true, chosen: true };
  const lisa = { email: 'lisa@x.se', name: 'Lisa', follower: 0, limetype: 'person', id: 4 };

  async function field(people: object[], items: object[] = [], beside = {}) {
    const platform = testPlatform(() => ({ items }));
    const added: unknown[] = [];
    const toggled: unknown[] = [];
    const result = await render(
      <lwc-limepkg-email-recipients
        platform={platform}
        people={people as never}
        beside={beside}
        onAddPeople={(event) => added.push(...event.detail)}
        onTogglePerson={(event) => toggled.push(event.detail)}
      />,
    );
    unmount = result.unmount;
    const inside = (selector: string) => result.root.shadowRoot?.querySelector(selector);
    const input = (text: string) => {
      const element = inside('input') as HTMLInputElement;
      element.value = text;
      element.dispatchEvent(new Event('input', { bubbles: true }));
      return element;
    };
    const type = async (text: string, ...keys: string[]) => {
      const element = input(text);
      await new Promise((resolve) => setTimeout(resolve, 260));
      await result.waitForChanges();
      for (const key of keys) {
        // The documents of these tests know no `keydown`, so it is listened for under this name.
        const pressed = { key, bubbles: true, cancelable: true };
        element.dispatchEvent(new KeyboardEvent('keyDown', pressed));
        await result.waitForChanges();
      }
    };
    const settle = () => result.waitForChanges();
    return { platform, inside, type, input, settle, added, toggled };
  }

  it('say plainly that each gets a mail of their own', async () => {
    const { inside } = await field([anna, { ...anna, email: 'b@x.se', follower: 2 }]);
    expect(inside('.hint')?.textContent).toContain('Each of the 2 recipients gets a mail');
    expect(inside('[role=switch]')?.getAttribute('aria-checked')).toBe('true');
  });

  it('are found by name and chosen with the keyboard', async () => {
    const { platform, inside, type, added } = await field([], [lisa], { conversation: 3 });
    await type('lis');
    expect(platform.requests.at(-1)?.options?.params).toEqual({ q: 'lis', conversation: '3' });
    expect(inside('[role=option]')?.textContent).toContain('Lisa');
    await type('lis', 'ArrowDown', 'Enter');
    expect(added).toEqual([{ email: 'lisa@x.se', name: 'Lisa', limetype: 'person', id: 4 }]);
  });

  it('are made on the fly, and broken ones are shown', async () => {
    const { type, added, inside } = await field([
      { ...anna, email: 'x', name: '', follower: 0, problem: 'invalid' },
    ]);
    expect(inside('.chip.invalid')?.textContent).toContain('not an address');
    await type('New <new@x.se>, other@y.se', 'Enter');
    expect(added).toEqual([
      { email: 'new@x.se', name: 'New' },
      { email: 'other@y.se', name: '' },
    ]);
  });

  it('are taken at a comma and when the field is left, however fast they were typed', async () => {
    const { inside, added, settle, input } = await field([]);
    input('first@x.se,');
    input('wrong, last@y.se; "Berg, Bo');
    expect((inside('input') as HTMLInputElement).value).toBe('"Berg, Bo');
    input('"Berg, Bo" <bo@z.se>');
    inside('input')?.dispatchEvent(new Event('blur'));
    await settle();
    expect((inside('input') as HTMLInputElement).value).toBe('');
    expect(added).toEqual([
      { email: 'first@x.se', name: '' },
      { email: 'wrong', name: '' },
      { email: 'last@y.se', name: '' },
      { email: 'bo@z.se', name: 'Berg, Bo' },
    ]);
  });

  it('that were searched for another text are not meant by this one', async () => {
    const { type, added, input, inside } = await field([], [lisa]);
    await type('lis');
    input('lisbeth');
    inside('input')?.dispatchEvent(new Event('blur'));
    expect(added).toEqual([{ email: 'lisbeth', name: '' }]);
  });

  it('that the object leads to are proposed', async () => {
    const { inside } = await field([], [lisa], { limetype: 'helpdesk', id: 7 });
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(inside('.proposals')?.textContent).toContain('Lisa');
  });
});

it('attachments tell size, reason and total', async () => {
  const platform = testPlatform();
  const attached = [
    { key: 'a', name: 'a.pdf', size: 1000, document: 0 },
    { key: 'b', name: 'b.pdf', size: 9000, document: 0, error: 'b.pdf is too large.' },
  ];
  const detached: string[] = [];
  const { root, unmount: end } = await render(
    <lwc-limepkg-email-attachments
      platform={platform}
      attached={attached}
      limits={{ each: 5000, together: 10_000, count: 5 }}
      onDetach={(event) => detached.push(event.detail)}
    />,
  );
  unmount = end;
  const inside = root.shadowRoot;
  expect(inside?.querySelector('.total')?.textContent).toBe(
    '1 file. Files and pictures: 1 kB of 10 kB.',
  );
  expect(inside?.querySelector('.wrong .error')?.textContent).toBe('b.pdf is too large.');
  inside?.querySelector('.wrong button')?.dispatchEvent(new MouseEvent('click'));
  expect(detached).toEqual(['b']);
});
