/** What is asked before several accounts are changed at once. */

import { Account } from '../../services/email-api/accounts';
import { Texts } from '../../translate';
import { Question } from '../../ui/confirm';
import { BulkAction } from './account-panels';

const MOST_NAMED = 10;

/** Give the accounts that an action changes: an enabled one is not enabled once more. */
export function affected(action: BulkAction, accounts: readonly Account[]): Account[] {
  return accounts.filter((each) => action === 'delete' || each.enabled !== (action === 'enable'));
}

/** Give the question, with the accounts that are meant. */
export function bulkQuestion(
  action: BulkAction,
  accounts: readonly Account[],
  texts: Texts,
): Question {
  const count = accounts.length;
  const listed = accounts.slice(0, MOST_NAMED).map((each) => each.email);
  const left = count - listed.length;
  const names = left > 0 ? [...listed, texts.count('admin.more', left)] : listed;
  const asked = {
    enable: {
      title: texts.count('accounts.enable_title', count),
      note: texts.get('accounts.enable_note'),
      action: texts.get('accounts.enable'),
    },
    disable: {
      title: texts.count('accounts.disable_title', count),
      note: texts.get('accounts.disable_note'),
      action: texts.get('accounts.disable'),
    },
    delete: {
      title: texts.count('accounts.delete_title', count),
      note: texts.get('accounts.delete_note'),
      action: texts.get('admin.delete'),
    },
  }[action];
  return {
    title: asked.title,
    message: [...names, '', asked.note].join('\n'),
    action: asked.action,
  };
}
