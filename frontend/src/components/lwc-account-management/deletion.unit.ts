import { describe, expect, it } from 'vitest';

import { EmailApi } from '../../services/email-api';
import { Task } from '../../services/email-api/tasks';
import { EmailError } from '../../services/email-error';
import { deleteAccounts } from './deletion';

const outcomes = { items: [{ id: 1, outcome: 'deleted', reason: '' }], total: 1 };

function server(answer: object, ...tasks: Partial<Task>[]) {
  const read = () => Promise.resolve({ done: 0, reason: '', ...tasks.shift() } as Task);
  const api = { accounts: { remove: () => Promise.resolve(answer) }, tasks: { read } };
  return api as unknown as EmailApi;
}

const following = { wait: () => Promise.resolve() };

describe('the deletion of accounts', () => {
  it('tells of a few what the answer says', async () => {
    expect(await deleteAccounts(server(outcomes), [1])).toEqual(outcomes);
  });

  it('waits for the task that deletes many, and tells its result', async () => {
    const api = server(
      { id: 't1', status: 'PENDING' },
      { status: 'STARTED', done: 1 },
      { status: 'SUCCESS', result: outcomes },
    );
    expect(await deleteAccounts(api, [1], following)).toEqual(outcomes);
  });

  it('says why the task could not go on', async () => {
    const api = server(
      { id: 't1', status: 'PENDING' },
      { status: 'FAILURE', reason: 'No worker came to its end.' },
    );
    const error = await deleteAccounts(api, [1], following).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(EmailError);
    expect((error as EmailError).message).toBe('No worker came to its end.');
  });

  it('ends the waiting when the page is left', async () => {
    const gone = new AbortController();
    gone.abort();
    const api = server({ id: 't1', status: 'PENDING' });
    const found = await deleteAccounts(api, [1], { ...following, signal: gone.signal });
    expect(found).toEqual({ items: [], total: 0 });
  });
});
