/** The settings of an account, and which of them were changed. */

import { Account, AccountSettings } from '../../services/email-api/accounts';

const NAMES: readonly (keyof AccountSettings)[] = [
  'name',
  'aliases',
  'users',
  'parent_limetype',
  'time_zone',
  'language',
  'message_template',
  'autoreply_template',
  'relay_template',
  'relay',
  'create_persons',
  'import_unread',
  'signature',
];

export function settingsOf(account: Account): AccountSettings {
  return Object.fromEntries(
    NAMES.map((name) => [name, account[name]]),
  ) as unknown as AccountSettings;
}

/** Give the settings that differ: the others may have been changed by somebody else meanwhile. */
export function changedSettings(
  account: Account,
  values: AccountSettings,
): Partial<AccountSettings> {
  const differs = (name: keyof AccountSettings): boolean =>
    JSON.stringify(plain(account[name])) !== JSON.stringify(plain(values[name]));
  return Object.fromEntries(NAMES.filter(differs).map((name) => [name, values[name]]));
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) {
    return [...(value as unknown[])].sort();
  }
  // An editor's empty text.
  return value === '<p></p>' ? '' : value;
}
