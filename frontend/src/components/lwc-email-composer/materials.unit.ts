import { describe, expect, it } from 'vitest';

import { emailApi } from '../../services/email-api';
import type { SendingAccount } from '../../services/email-api/accounts';
import { testPlatform } from '../../testing';
import { templatesFor } from './materials';

const items = [
  { id: 1, name: 'Alpha', language: 'en' },
  { id: 2, name: 'Beta', language: 'sv' },
  { id: 3, name: 'Gamma', language: 'en' },
];

async function offered(account?: Partial<SendingAccount>): Promise<number[]> {
  const api = emailApi(testPlatform(() => ({ items, total: items.length })));
  const found = await templatesFor(api, account as SendingAccount | undefined);
  return found.map((each) => each.id);
}

describe('templates', () => {
  it("are offered with the account's own first, then those in its language", async () => {
    expect(await offered({ message_template: 3, language: 'sv' })).toEqual([3, 2, 1]);
    expect(await offered({ message_template: null, language: 'sv' })).toEqual([2, 1, 3]);
  });

  it('are offered by name while there is no account', async () => {
    expect(await offered()).toEqual([1, 2, 3]);
  });
});
