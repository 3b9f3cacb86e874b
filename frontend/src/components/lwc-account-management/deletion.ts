/** Deleting accounts: a few within the request, many by a task that is followed to its end. */

import { EmailApi } from '../../services/email-api';
import { AccountOutcome } from '../../services/email-api/accounts';
import { Page } from '../../services/email-api/client';
import { EmailError } from '../../services/email-error';
import { followTask, Following } from '../../ui/follow-task';

/**
 * Delete the accounts; gives what became of each, or nothing when `signal` ended the waiting.
 *
 * Throws `EmailError`, with the task's reason if that failed.
 */
export async function deleteAccounts(
  { accounts, tasks }: Pick<EmailApi, 'accounts' | 'tasks'>,
  ids: number[],
  following: Omit<Following, 'onProgress'> = {},
): Promise<Page<AccountOutcome>> {
  const answer = await accounts.remove(ids);
  if ('items' in answer) {
    return answer;
  }
  const ended = await followTask(tasks, answer.id, { ...following, onProgress: () => undefined });
  if (ended?.status === 'FAILURE') {
    throw new EmailError({ code: 'task_failed', message: ended.reason }, 500);
  }
  return (ended?.result as Page<AccountOutcome> | undefined) ?? { items: [], total: 0 };
}
