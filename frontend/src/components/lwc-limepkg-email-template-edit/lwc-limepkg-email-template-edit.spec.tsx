import { describe, expect, h, it, render } from '@stencil/vitest';

import { httpError, Request, testPlatform, TestPlatform } from '../../testing';
import './lwc-limepkg-email-template-edit';

const TEMPLATE = {
  id: 3,
  name: 'Answer',
  purpose: 'message',
  language: 'en',
  subject: 'Re',
  body: '<p>Hello</p>',
  is_default: false,
  version: 4,
};
const GROUPS = [
  {
    name: 'user',
    explanation: 'Who writes.',
    values: [{ name: 'user.name', explanation: 'The name.', example: 'Sam' }],
  },
];

const moment = () => new Promise((resolve) => setTimeout(resolve, 30));
const answering = (store: (request: Request) => unknown, options = {}) =>
  testPlatform(
    (request) => (request.method === 'get' ? { items: GROUPS, total: 1 } : store(request)),
    options,
  );

async function editing(platform: TestPlatform, template: object = TEMPLATE, props: object = {}) {
  const saved: unknown[] = [];
  let closed = 0;
  const { root, waitForChanges } = await render(
    <lwc-limepkg-email-template-edit
      platform={platform}
      template={template as never}
      onSaved={(event: CustomEvent) => saved.push(event.detail)}
      onClosed={() => (closed += 1)}
      {...props}
    />,
  );
  const settle = async () => {
    await moment();
    await waitForChanges();
  };
  await settle();
  const one = (selector: string) =>
    root.shadowRoot?.querySelector<HTMLElement>(selector) ?? undefined;
  const set = async (field: string, detail: unknown) => {
    one(`[data-field="${field}"]`)?.dispatchEvent(new CustomEvent('change', { detail }));
    await settle();
  };
  const write = async (body: string) => {
    one('lwc-limepkg-email-template-source')?.dispatchEvent(
      new CustomEvent('edited', { detail: body }),
    );
    await settle();
  };
  const click = async (selector: string) => {
    one(selector)?.click();
    await settle();
  };
  const text = (selector: string) => one(selector)?.textContent?.trim() ?? '';
  return { root, one, set, write, click, text, settle, saved, closed: () => closed };
}

describe('saving a template', () => {
  it('stores it over the version that was read', async () => {
    const platform = answering(({ data }) => ({ ...TEMPLATE, ...(data as object), version: 5 }));
    const found = await editing(platform);
    await found.set('name', 'Reply');
    await found.click('.save');
    const sent = platform.requests.at(-1);
    expect([sent?.method, sent?.url]).toEqual(['put', 'limepkg-email/template/3/']);
    expect(sent?.data).toMatchObject({ name: 'Reply', version: 4, body: '<p>Hello</p>' });
    expect(found.saved).toMatchObject([{ version: 5 }]);
  });

  it('is refused at once where something is missing', async () => {
    const platform = answering(() => ({}));
    const found = await editing(platform);
    await found.set('name', ' ');
    await found.set('language', 'x');
    await found.write(' ');
    await found.click('.save');
    expect(platform.requests.filter((each) => each.method !== 'get')).toEqual([]);
    expect(found.text('[role="alert"].form-error')).toContain('was not saved');
    expect(found.text('[data-errors="body"]')).toBe('A template needs a text.');
  });

  it('shows an error of the server at its line', async () => {
    const sentence = 'Line 2: There is no `user.nam`; is it `user.name`?';
    const platform = answering(() => {
      throw httpError(422, {
        code: 'template_error',
        message: sentence,
        errors: { body: [sentence] },
      });
    });
    const found = await editing(platform);
    await found.click('.save');
    expect(found.text('[data-errors="body"]')).toContain(sentence);
    expect(found.text('.problems .link')).toBe('Go to line 2');
    const source = found.one('lwc-limepkg-email-template-source') as unknown as { wrong: number[] };
    expect(source.wrong).toEqual([2]);
  });

  it('keeps telling what was refused when the preview can be shown, until the text changes', async () => {
    const platform = answering(() => {
      throw httpError(422, { code: 'template_error', errors: { body: ['Line 1: No.'] } });
    });
    const found = await editing(platform);
    const preview = found.one('lwc-limepkg-email-template-preview');
    await found.click('.save');
    preview?.dispatchEvent(new CustomEvent('checked'));
    await found.settle();
    expect(found.text('[data-errors="body"]')).toContain('Line 1: No.');
    await found.write('<p>Other</p>');
    expect(found.text('[data-errors="body"]')).toBe('');
  });

  it('becomes a new template when somebody has deleted it', async () => {
    const platform = answering(({ method }) => {
      if (method === 'put') {
        throw httpError(404, { code: 'not_found' });
      }
      return { ...TEMPLATE, id: 9 };
    });
    const found = await editing(platform);
    await found.click('.save');
    expect(found.text('.form-error')).toContain('deleted');
    await found.click('.save');
    expect(platform.requests.at(-1)?.method).toBe('post');
    expect(found.saved).toMatchObject([{ id: 9 }]);
  });
});

describe('a template that somebody else has changed', () => {
  const newer = { ...TEMPLATE, body: '<p>Theirs</p>', version: 5 };
  const conflicting = () =>
    answering(({ data }) => {
      if ((data as { version: number }).version !== 5) {
        throw httpError(409, { code: 'conflict', message: 'Changed.', newer });
      }
      return { ...newer, ...(data as object), version: 6 };
    });

  it('is shown where it differs, and saved over theirs if so wanted', async () => {
    const platform = conflicting();
    const found = await editing(platform);
    await found.write('<p>Mine</p>');
    await found.click('.save');
    expect(found.text('.conflict dl')).toContain('<p>Theirs</p>');
    expect(found.text('.conflict dl')).not.toContain('Answer');
    await found.click('.mine');
    expect(platform.requests.at(-1)?.data).toMatchObject({ body: '<p>Mine</p>', version: 5 });
    expect(found.saved).toHaveLength(1);
  });

  it('can be taken over', async () => {
    const platform = conflicting();
    const found = await editing(platform);
    await found.write('<p>Mine</p>');
    await found.click('.save');
    await found.click('.theirs');
    const source = found.one('lwc-limepkg-email-template-source');
    expect(source?.getAttribute('value')).toBe('<p>Theirs</p>');
    await found.click('.close');
    expect(found.closed()).toBe(1);
    expect(platform.told).toEqual([]);
  });
});

describe('closing', () => {
  it('asks before something is lost', async () => {
    const platform = answering(() => ({}), { agree: false });
    const found = await editing(platform);
    await found.set('subject', 'Other');
    await found.click('.close');
    expect(platform.told.map((each) => each.kind)).toEqual(['confirm']);
    expect(found.closed()).toBe(0);
  });
});

describe('the visual editor', () => {
  it('is offered only for what it keeps', async () => {
    const found = await editing(answering(() => ({})));
    const visual = () => found.one('.body .tabs button:last-child')?.hasAttribute('disabled');
    expect(visual()).toBe(false);
    await found.write('<div>{{ user.name }}</div>');
    expect(visual()).toBe(true);
    expect(found.text('#why-not')).toContain('visual editor');
  });

  it('gives back templates with their signs', async () => {
    const platform = answering(() => TEMPLATE);
    const found = await editing(platform);
    await found.click('.body .tabs button:last-child');
    found
      .one('limel-text-editor')
      ?.dispatchEvent(
        new CustomEvent('change', { detail: '<p>{% if conversation.id &gt; 1 %}x{% endif %}</p>' }),
      );
    await found.settle();
    await found.click('.save');
    expect(platform.requests.at(-1)?.data).toMatchObject({
      body: '<p>{% if conversation.id > 1 %}x{% endif %}</p>',
    });
  });
});

it('what can be inserted is explained', async () => {
  const found = await editing(answering(() => ({})));
  expect(found.text('.insert')).toContain('{{ user.name }}');
  expect(found.text('.insert')).toContain('Example: Sam');
});

it('nothing can be changed where one may only look', async () => {
  const found = await editing(
    answering(() => ({})),
    TEMPLATE,
    { readonly: true },
  );
  expect(found.one('.save')).toBeUndefined();
  expect(found.one('.placeholders')).toBeUndefined();
  expect(found.text('h2')).toBe('Edit Answer');
});
