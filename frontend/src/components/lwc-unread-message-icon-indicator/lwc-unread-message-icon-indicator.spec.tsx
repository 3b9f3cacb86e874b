import { describe, expect, h, it, render } from '@stencil/vitest';

import { CHANGED } from '../../services/unread';
import { Request, testPlatform } from '../../testing';
import './lwc-unread-message-icon-indicator';

const unread =
  (counts: Record<number, number>) =>
  ({ options }: Request) => {
    const asked = options?.params?.ids?.split(',').map(Number) ?? [];
    const found = asked.filter((id) => counts[id]);
    return { unread: found.map((id) => ({ id, conversations: counts[id] })) };
  };

const moment = () => new Promise((resolve) => setTimeout(resolve, 60));

async function cell(platform: unknown, props: object) {
  const { root, waitForChanges, setProps, unmount } = await render(
    <lwc-unread-message-icon-indicator platform={platform as never} {...props} />,
  );
  const shown = () => root.shadowRoot?.querySelector('.unread');
  const settle = async () => {
    await moment();
    await waitForChanges();
  };
  return { shown, settle, setProps, unmount };
}

describe('the unread indicator', () => {
  it('says in words how many conversations are unread', async () => {
    const platform = testPlatform(unread({ 3: 2 }));
    const found = await cell(platform, { data: { id: 3 }, context: { limetype: 'helpdesk' } });
    await found.settle();
    expect(found.shown()?.getAttribute('aria-label')).toBe('2 conversations with unread messages');
    expect(found.shown()?.getAttribute('role')).toBe('img');
    expect(found.shown()?.textContent).toBe('2');
  });

  it('shows nothing when nothing is unread', async () => {
    const found = await cell(testPlatform(unread({})), { limetype: 'helpdesk', objectId: 3 });
    await found.settle();
    expect(found.shown()).toBeNull();
  });

  it('asks once for all rows of a table', async () => {
    const platform = testPlatform(unread({ 2: 1 }));
    const rows = [1, 2, 3].map((id) => ({ _id: id, _limetype: 'helpdesk' }));
    const { root, waitForChanges } = await render(
      <div>
        {rows.map((row) => (
          <lwc-unread-message-icon-indicator platform={platform} data={row} />
        ))}
      </div>,
      { waitForReady: false },
    );
    await moment();
    await waitForChanges();
    expect(platform.requests.map((each) => each.options?.params)).toEqual([
      { limetype: 'helpdesk', ids: '1,2,3' },
    ]);
    const cells = Array.from(root.children);
    expect(cells.map((each) => Boolean(each.shadowRoot?.querySelector('.unread')))).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('changes when the page says that something arrived', async () => {
    const counts: Record<number, number> = {};
    const found = await cell(testPlatform(unread(counts)), { limetype: 'helpdesk', objectId: 3 });
    await found.settle();
    counts[3] = 1;
    window.dispatchEvent(new CustomEvent(CHANGED));
    await found.settle();
    expect(found.shown()?.getAttribute('aria-label')).toBe('1 conversation with unread messages');
  });

  it('follows its row when the table uses the cell for another one', async () => {
    const platform = testPlatform(unread({ 3: 1 }));
    const found = await cell(platform, { limetype: 'helpdesk', data: { id: 3 } });
    await found.settle();
    await found.setProps({ data: { id: 3 } });
    await found.settle();
    expect(platform.requests).toHaveLength(1);
    await found.setProps({ data: { id: 4 } });
    await found.settle();
    expect(found.shown()).toBeNull();
  });

  it('shows what the host knows until it knows better', async () => {
    const found = await cell(testPlatform(unread({})), {
      limetype: 'helpdesk',
      objectId: 3,
      value: true,
    });
    expect(found.shown()).not.toBeNull();
    await found.settle();
    expect(found.shown()).toBeNull();
  });

  it('asks nothing without an object or a host', async () => {
    const platform = testPlatform(unread({}));
    await (await cell(platform, { context: { limetype: 'helpdesk' } })).settle();
    await (await cell(undefined, { limetype: 'helpdesk', objectId: 1 })).settle();
    expect(platform.requests).toEqual([]);
  });

  it('is in the language of the user', async () => {
    const platform = testPlatform(unread({ 3: 2 }), { language: 'sv' });
    const get = (key: string) =>
      key === 'limepkg_email.unread.conversations.other' ? '{count} olästa' : 'annat';
    platform.register('translate', { get });
    const found = await cell(platform, { limetype: 'helpdesk', objectId: 3 });
    await found.settle();
    expect(found.shown()?.getAttribute('aria-label')).toBe('2 olästa');
  });
});
