import { describe, expect, it } from 'vitest';

import { EmailError } from '../services/email-error';
import { Task } from '../services/email-api/tasks';
import { followTask, openTask } from './follow-task';

const task = (status: Task['status'], done = 0): Task => ({
  id: 't1',
  task: 'sync',
  status,
  done,
  total: 3,
  result: null,
  reason: '',
  user: 1,
  created_at: '',
  started_at: null,
  finished_at: null,
});

function server(...answers: (Task | EmailError)[]) {
  const pauses: number[] = [];
  const seen: string[] = [];
  return {
    pauses,
    seen,
    read: () => {
      const answer = answers.shift();
      return answer instanceof EmailError ? Promise.reject(answer) : Promise.resolve(answer!);
    },
    following: {
      onProgress: (each: Task) => void seen.push(`${each.status} ${each.done}`),
      onAway: () => void seen.push('away'),
      wait: (milliseconds: number) => {
        pauses.push(milliseconds);
        return Promise.resolve();
      },
    },
  };
}

describe('following a task', () => {
  it('tells each step and gives the task when it has ended', async () => {
    const found = server(task('PENDING'), task('STARTED', 1), task('SUCCESS', 3));
    const ended = await followTask(found, 't1', found.following);
    expect(ended?.status).toBe('SUCCESS');
    expect(found.seen).toEqual(['PENDING 0', 'STARTED 1', 'SUCCESS 3']);
  });

  it('asks less and less often while nothing moves, at least every five seconds', async () => {
    const waiting = Array.from({ length: 12 }, () => task('PENDING'));
    const found = server(...waiting, task('STARTED', 1), task('FAILURE'));
    await followTask(found, 't1', found.following);
    expect(found.pauses.slice(0, 3)).toEqual([300, 450, 675]);
    expect(found.pauses[11]).toBe(5000);
    expect(found.pauses[12]).toBe(300);
  });

  it('goes on when the server was away', async () => {
    const found = server(new EmailError({}, 0), new EmailError({}, 503), task('SUCCESS', 3));
    expect((await followTask(found, 't1', found.following))?.status).toBe('SUCCESS');
    expect(found.seen).toEqual(['away', 'away', 'SUCCESS 3']);
  });

  it('throws what will not pass', async () => {
    const found = server(new EmailError({ code: 'not_found' }, 404));
    await expect(followTask(found, 't1', found.following)).rejects.toThrow(EmailError);
  });

  it('ends when nobody is interested any more', async () => {
    const gone = new AbortController();
    const found = server(task('PENDING'), task('PENDING'), task('SUCCESS'));
    const wait = () => Promise.resolve(gone.abort());
    const ended = await followTask(found, 't1', {
      ...found.following,
      wait,
      signal: gone.signal,
    });
    expect(ended).toBeUndefined();
    expect(found.seen).toEqual(['PENDING 0']);
  });
});

it('a task of the kind that has not ended is found again', async () => {
  const items = [task('SUCCESS'), { ...task('STARTED'), id: 't2' }, task('PENDING')];
  const list = () => Promise.resolve({ items, total: items.length });
  expect((await openTask({ list }, (name) => name === 'sync'))?.id).toBe('t2');
  expect(await openTask({ list }, () => false)).toBeUndefined();
});
