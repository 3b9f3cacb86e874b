import { describe, expect, h, it, render } from '@stencil/vitest';

import { httpError, Request, testPlatform } from '../../testing';
import './lwc-oauth-app-management';

const app = (given: object = {}) => ({
  id: 1,
  engine_app: 'e1',
  name: 'Google mail',
  provider: 'gmail',
  base_scopes: 'imap',
  client_id: 'c1',
  redirect_url: 'https://engine/oauth',
  authority: '',
  enabled: true,
  has_secret: true,
  missing: false,
  accounts: 2,
  ...given,
});

const nothing = { added: [], updated: [], missing: [] };
const added = { engine_id: 'x', name: 'new@example.com', changed: [] };

const answers =
  (apps: object[], more: Record<string, unknown> = {}) =>
  ({ method, url, data }: Request): unknown => {
    const dry = (data as { dry_run?: boolean } | undefined)?.dry_run ? ' dry' : '';
    const found = more[`${method} ${url}${dry}`];
    if (found instanceof Error) {
      throw found;
    }
    const list = { items: apps, total: apps.length, redirect_url: 'https://engine/oauth' };
    return found ?? (url.endsWith('oauth_app/') ? { ...list, problem: '' } : { items: [] });
  };

const moment = () => new Promise((resolve) => setTimeout(resolve, 30));

async function shown(platform: ReturnType<typeof testPlatform>, props: object = {}) {
  const { root, waitForChanges } = await render(
    <lwc-oauth-app-management platform={platform} {...props} />,
  );
  const settle = async () => {
    await moment();
    await waitForChanges();
  };
  await settle();
  const all = (css: string) => Array.from(root.shadowRoot?.querySelectorAll(css) ?? []);
  const button = (label: string) =>
    all('limel-button').find((each) => each.getAttribute('label') === label);
  const click = async (label: string) => {
    expect(button(label), label).toBeDefined();
    button(label)?.dispatchEvent(new Event('click'));
    await settle();
  };
  const text = (css: string) => all(css)[0]?.textContent ?? '';
  return { all, button, click, text };
}

describe('the OAuth2 applications', () => {
  it('show the redirect address before there is one', async () => {
    const found = await shown(testPlatform(answers([])));
    expect(found.all('lwc-limepkg-email-copy')[0]?.getAttribute('value')).toBe(
      'https://engine/oauth',
    );
    expect(found.text('.empty')).toContain('No OAuth2 applications yet');
  });

  it('tell provider, access, accounts, and whether one is missing', async () => {
    const found = await shown(
      testPlatform(answers([app({ missing: true }), app({ id: 2, enabled: false })])),
    );
    expect(found.text('.app')).toContain('Google · IMAP and SMTP');
    expect(found.text('.app')).toContain('2 accounts');
    expect(found.all('.chip').map((each) => each.textContent)).toEqual(['Missing', 'Disabled']);
  });

  it('are deleted after a question that names the accounts that go along', async () => {
    const account = { id: 3, email: 'a@example.com', engine_account: 'a', outcome: 'deleted' };
    const removal = { id: 1, name: 'Google mail', deleted: true, left: 0, accounts: [account] };
    const platform = testPlatform(
      answers([app()], { 'delete limepkg-email/oauth_app/1': { ...removal, reason: '' } }),
    );
    const found = await shown(platform);
    await found.click('Delete');
    expect(platform.told[0]?.texts[1]).toContain('This account goes with it:\na@example.com');
    const deletes = platform.requests.filter((each) => each.method === 'delete');
    expect(deletes.map((each) => each.options?.params?.dry_run)).toEqual(['true', 'false']);
    expect(found.text('.done')).toContain('a@example.com: deleted');
  });

  it('are synced after it was shown what changes', async () => {
    const plan = { apps: nothing, accounts: { ...nothing, added: [added] } };
    const platform = testPlatform(
      answers([], {
        'post limepkg-email/sync/ dry': plan,
        'post limepkg-email/sync/': { id: 't', status: 'PENDING' },
        'get limepkg-email/task/t/': {
          id: 't',
          status: 'SUCCESS',
          done: 2,
          total: 2,
          result: plan,
        },
      }),
    );
    const found = await shown(platform);
    await found.click('Sync');
    expect(found.text('.sync')).toContain('1 account added: new@example.com');
    await found.click('Sync now');
    expect(found.text('.sync')).toContain('are synced.');
  });

  it('say calmly that the mail service cannot be asked', async () => {
    const platform = testPlatform(
      answers([app()], {
        'get limepkg-email/oauth_app/': {
          items: [app({ has_secret: null })],
          total: 1,
          redirect_url: null,
          problem: 'It is away.',
        },
        'post limepkg-email/sync/ dry': httpError(503, { code: 'engine_unavailable' }),
      }),
    );
    const found = await shown(platform);
    expect(found.text('.failed')).toContain('The mail service does not answer.');
    expect(found.text('.app')).toContain('Google mail');
    expect(found.all('lwc-limepkg-email-copy')).toEqual([]);
    await found.click('Sync');
    expect(found.text('.sync')).toContain('Nothing is lost.');
  });

  it('can only be read in a form that is only read', async () => {
    const found = await shown(testPlatform(answers([app()])), { readonly: true });
    expect(found.text('.app')).toContain('Google mail');
    expect(found.all('limel-button')).toEqual([]);
  });
});
