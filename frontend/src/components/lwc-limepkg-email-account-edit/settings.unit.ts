import { expect, it } from 'vitest';

import { Account } from '../../services/email-api/accounts';
import { changedSettings, settingsOf } from './settings';

const account = {
  id: 1,
  email: 'a@b.se',
  name: 'A',
  aliases: ['x@b.se', 'y@b.se'],
  users: [2, 1],
  message_template: null,
  signature: '',
  relay: false,
} as unknown as Account;

it('only what was changed is sent', () => {
  const values = settingsOf(account);
  expect(changedSettings(account, values)).toEqual({});
  expect(changedSettings(account, { ...values, relay: true, name: 'B' })).toEqual({
    relay: true,
    name: 'B',
  });
});

it('another order, and the empty text of an editor, are no changes', () => {
  const values = { ...settingsOf(account), users: [1, 2], signature: '<p></p>' };
  expect(changedSettings(account, values)).toEqual({});
});

it('an id and an address are no settings', () => {
  expect(settingsOf(account)).not.toHaveProperty('id');
  expect(settingsOf(account)).not.toHaveProperty('email');
});
