import { describe, expect, h, it, render } from '@stencil/vitest';

import { httpError, Request, testPlatform } from '../../testing';
import './lwc-account-management';

const account = (given: object = {}) => ({
  id: 1,
  email: 'support@example.com',
  name: 'Support',
  aliases: [],
  users: [],
  type: 'imap',
  oauth_app: '',
  enabled: true,
  state: 'connected',
  cause: '',
  next_step: 'none',
  advice: '',
  last_seen: null,
  last_imported: null,
  last_sent: null,
  last_recovery: null,
  recovery_error: '',
  ...given,
});

const page = (...items: object[]) => ({ items, total: items.length });

const answers =
  (accounts: object[], more: Record<string, unknown> = {}) =>
  ({ method, url }: Request): unknown => {
    const found = more[`${method} ${url}`];
    if (found instanceof Error) {
      throw found;
    }
    return found ?? (url === 'limepkg-email/account/' ? page(...accounts) : page());
  };

const moment = () => new Promise((resolve) => setTimeout(resolve, 30));

async function shown(platform: ReturnType<typeof testPlatform>, props: object = {}) {
  const { root, waitForChanges } = await render(
    <lwc-account-management platform={platform} {...props} />,
  );
  const settle = async () => {
    await moment();
    await waitForChanges();
  };
  await settle();
  const all = (css: string) => Array.from(root.shadowRoot?.querySelectorAll(css) ?? []);
  const labels = () => all('limel-button').map((each) => each.getAttribute('label'));
  const click = async (label: string) => {
    const button = all('limel-button').find((each) => each.getAttribute('label') === label);
    expect(button, `${label} is among ${labels().join()}`).toBeDefined();
    (button as HTMLElement).dispatchEvent(new Event('click'));
    await settle();
  };
  const select = async () => {
    const box = all('tbody input')[0] as HTMLInputElement;
    box.checked = true;
    box.dispatchEvent(new Event('change'));
    await settle();
  };
  const text = (css: string) => all(css)[0]?.textContent ?? '';
  return { root, all, labels, click, select, text, settle };
}

describe('the accounts', () => {
  it('tell how they fare and what to do next', async () => {
    const failing = account({
      state: 'authenticationError',
      next_step: 'sign_in_again',
      cause: 'The mail server refuses the login.',
    });
    const found = await shown(testPlatform(answers([failing])));
    expect(found.text('tbody')).toContain('Sign-in refused');
    expect(found.text('tbody')).toContain('The mail server refuses the login.');
    expect(found.labels()).toContain('Sign in again');
  });

  it('say what to do when there are none', async () => {
    const found = await shown(testPlatform(answers([])));
    expect(found.text('.empty')).toContain('No email accounts yet');
    expect(found.text('.empty')).toContain('add an OAuth2 application first');
  });

  it('can be asked for again when they could not be read', async () => {
    const more: Record<string, unknown> = {
      'get limepkg-email/account/': httpError(503, { code: 'database_unavailable' }),
    };
    const found = await shown(testPlatform(answers([account()], more)));
    expect(found.text('.failed')).toContain('The server is not ready');
    delete more['get limepkg-email/account/'];
    await found.click('Try again');
    expect(found.text('tbody')).toContain('support@example.com');
  });

  it('are deleted after a question, with an outcome for each', async () => {
    const outcome = page({ id: 1, outcome: 'failed', reason: 'The mail service is away.' });
    const platform = testPlatform(
      answers([account()], { 'delete limepkg-email/account/': outcome }),
    );
    const found = await shown(platform);
    const changes: unknown[] = [];
    found.root.addEventListener('change', (event) => changes.push((event as CustomEvent).detail));
    await found.select();
    expect(changes, 'ticking a box changes nothing').toEqual([]);
    await found.click('Delete');
    expect(platform.told[0]?.texts[1]).toContain('all conversations stay');
    expect(platform.requests.find((each) => each.method === 'delete')?.data).toEqual({
      accounts: [1],
    });
    expect(found.text('.outcomes')).toContain('failed – The mail service is away.');
    expect(changes).toHaveLength(1);
  });

  it('are enabled and disabled only where that changes something', async () => {
    const off = { enabled: false, next_step: 'enable' };
    const accounts = [account(), account({ id: 2, email: 'off@example.com', ...off })];
    const platform = testPlatform(answers(accounts, { 'put limepkg-email/account/': page() }));
    const found = await shown(platform);
    const selection = () =>
      found.all('.selection limel-button').map((each) => each.getAttribute('label'));
    await found.select();
    expect(selection()).toEqual(['Sync emails', 'Disable', 'Delete']);
    const second = found.all('tbody input')[1] as HTMLInputElement;
    second.checked = true;
    second.dispatchEvent(new Event('change'));
    await found.settle();
    expect(selection()).toEqual(['Sync emails', 'Enable', 'Disable', 'Delete']);
    const disable = found.all('.selection limel-button')[2] as HTMLElement;
    disable.dispatchEvent(new Event('click'));
    await found.settle();
    expect(platform.told[0]?.texts[1]).not.toContain('off@example.com');
    expect(platform.requests.find((each) => each.method === 'put')?.data).toEqual({
      accounts: [1],
      enabled: false,
    });
  });

  it('stay when the user does not agree', async () => {
    const platform = testPlatform(answers([account()]), { agree: false });
    const found = await shown(platform);
    await found.select();
    await found.click('Disable');
    expect(platform.requests.every((each) => each.method === 'get')).toBe(true);
  });

  it('are synced with a report for each', async () => {
    const task = { id: 't', task: 'recovery', status: 'SUCCESS', done: 1, total: 1, reason: '' };
    const report = { account: 1, run: 't', listed: 120, imported: 2, recovered: 0, unaccounted: 0 };
    const platform = testPlatform(
      answers([account()], {
        'post limepkg-email/recovery/start/': { id: 't', status: 'PENDING' },
        'get limepkg-email/task/t/': task,
        'get limepkg-email/recovery/report/': page(report),
      }),
    );
    const found = await shown(platform);
    await found.select();
    await found.click('Sync emails');
    expect(found.text('.recovered')).toContain(
      'support@example.com: listed 120, imported 2, unaccounted 0',
    );
  });

  it('are not synced while they are disabled', async () => {
    const platform = testPlatform(answers([account({ enabled: false, next_step: 'enable' })]));
    const found = await shown(platform);
    await found.select();
    await found.click('Sync emails');
    expect(platform.told[0]?.texts[0]).toContain('Enable them first');
    expect(platform.requests.every((each) => each.method === 'get')).toBe(true);
  });

  it('can only be read in a form that is only read', async () => {
    const found = await shown(testPlatform(answers([account({ next_step: 'enable' })])), {
      readonly: true,
      label: 'Mailboxes',
      helperText: 'All of them.',
    });
    expect(found.text('h2')).toBe('Mailboxes');
    expect(found.text('.head')).toContain('All of them.');
    expect(found.labels()).toEqual([]);
    expect(found.all('input')).toEqual([]);
  });
});
