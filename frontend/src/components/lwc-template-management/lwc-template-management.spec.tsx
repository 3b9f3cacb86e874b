import { describe, expect, h, it, render } from '@stencil/vitest';

import { httpError, Request, testPlatform, TestPlatform } from '../../testing';
import './lwc-template-management';

const template = (id: number, changed: object = {}) => ({
  id,
  name: `Template ${id}`,
  purpose: 'message',
  language: 'en',
  subject: 'Hi',
  body: '<p>x</p>',
  is_default: false,
  version: 1,
  used_by: [],
  ...changed,
});

const page = (...items: object[]) => ({ items, total: items.length });
const moment = () => new Promise((resolve) => setTimeout(resolve, 30));

async function shown(platform: TestPlatform, props: object = {}) {
  const { root, waitForChanges } = await render(
    <lwc-template-management platform={platform} {...props} />,
  );
  const settle = async () => {
    await moment();
    await waitForChanges();
  };
  await settle();
  const all = (selector: string) =>
    Array.from(root.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? []);
  const click = async (selector: string) => {
    all(selector)[0]?.click();
    await settle();
  };
  return { root, all, click, settle, text: () => root.shadowRoot?.textContent ?? '' };
}

describe('the list of templates', () => {
  it('is grouped by purpose and says what is default and who uses what', async () => {
    const list = page(
      template(1, { is_default: true }),
      template(2, { purpose: 'relay', used_by: ['Support <s@x.se>'] }),
    );
    const found = await shown(testPlatform(() => list));
    expect(found.all('section').map((each) => each.getAttribute('aria-label'))).toEqual([
      'Message',
      'Relayed message',
    ]);
    expect(found.all('[data-id="1"] .chip')).toHaveLength(1);
    expect(found.all('[data-id="2"] .used')[0]?.textContent).toBe('Used by Support <s@x.se>');
  });

  it('is read to its end', async () => {
    const answer = ({ options }: Request) => ({
      items: [template(Number(options?.params?.offset) + 1)],
      total: 3,
    });
    const found = await shown(testPlatform(answer));
    expect(found.all('li')).toHaveLength(3);
  });

  it('can be narrowed down', async () => {
    const list = page(template(1), template(2, { purpose: 'relay', language: 'sv' }));
    const found = await shown(testPlatform(() => list));
    const filter = found.all('[data-field="filter-language"]')[0];
    filter?.dispatchEvent(new CustomEvent('change', { detail: { value: 'sv', text: 'sv' } }));
    await found.settle();
    expect(found.all('li').map((each) => each.dataset.id)).toEqual(['2']);
  });

  it('says what to do when it is empty', async () => {
    const found = await shown(testPlatform(() => page()));
    expect(found.text()).toContain('There are no templates yet');
    expect(found.all('.defaults')).toHaveLength(1);
  });

  it('says what is wrong and tries again', async () => {
    let works = false;
    const platform = testPlatform(() => {
      if (!works) {
        throw httpError(503, { code: 'database_unavailable' });
      }
      return page(template(1));
    });
    const found = await shown(platform);
    expect(found.text()).toContain('not ready');
    works = true;
    await found.click('.panel limel-button');
    expect(found.all('li')).toHaveLength(1);
  });

  it('can only be looked at in a form that is read-only', async () => {
    const found = await shown(
      testPlatform(() => page(template(1))),
      { readonly: true },
    );
    expect(found.all('.new, .defaults, .delete, .copy')).toEqual([]);
    expect(found.all('.edit')[0]?.textContent).toBe('View');
  });
});

describe('deleting a template', () => {
  it('asks first, and says why the server refuses', async () => {
    const refusal = '“Template 1” cannot be deleted: it is used by Support.';
    const platform = testPlatform(({ method }) => {
      if (method === 'delete') {
        throw httpError(409, { code: 'conflict', message: refusal });
      }
      return page(template(1));
    });
    const found = await shown(platform);
    await found.click('.delete');
    expect(platform.told.map((each) => each.kind)).toEqual(['confirm', 'alert']);
    expect(platform.told[1]?.texts).toEqual(['Template 1 was not deleted.', refusal]);
  });

  it('does nothing when the question is denied', async () => {
    const platform = testPlatform(() => page(template(1)), { agree: false });
    const found = await shown(platform);
    await found.click('.delete');
    expect(platform.requests.map((each) => each.method)).toEqual(['get']);
  });
});

describe('default templates', () => {
  it.each([
    [page(template(1), template(2), template(3)), '2 default templates were created.'],
    [page(template(1)), 'Every purpose has a default template already.'],
  ])('are created where there are none', async (made, said) => {
    const platform = testPlatform(({ method }) => (method === 'post' ? made : page(template(1))));
    const found = await shown(platform);
    await found.click('.defaults');
    expect(platform.told).toEqual([{ kind: 'notify', texts: [said] }]);
  });
});

it('writing begins in the purpose and language that are shown', async () => {
  const found = await shown(testPlatform(() => page(template(1, { language: 'sv' }))));
  const filter = found.all('[data-field="filter-language"]')[0];
  filter?.dispatchEvent(new CustomEvent('change', { detail: { value: 'sv', text: 'sv' } }));
  await found.settle();
  await found.click('.new');
  const edit = found.all('lwc-limepkg-email-template-edit')[0] as unknown as {
    template: { language: string; id?: number };
  };
  expect(edit.template).toMatchObject({ language: 'sv', purpose: 'message' });
});
