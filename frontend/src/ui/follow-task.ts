/** Asking how far a task is until it has come to its end. */

import { EmailError } from '../services/email-error';
import { Task, TasksApi } from '../services/email-api/tasks';

const FIRST_PAUSE = 300;
const LONGEST_PAUSE = 5000;
const GROWTH = 1.5;

export interface Following {
  /** Told each answer, the last one too. */
  onProgress: (task: Task) => void;
  /** Told that the server does not answer at the moment; it is asked again. */
  onAway?: (error: EmailError) => void;
  /** Ends the asking; the task itself goes on. */
  signal?: AbortSignal;
  wait?: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
}

/**
 * Follow a task to its end; gives it, or nothing when `signal` ended the asking before.
 *
 * The pauses grow up to five seconds and are short again once the task moves. Throws `EmailError`
 * for what will not pass, such as a task that does not exist.
 */
export async function followTask(
  tasks: Pick<TasksApi, 'read'>,
  id: string,
  { onProgress, onAway, signal, wait = pause }: Following,
): Promise<Task | undefined> {
  let next = FIRST_PAUSE;
  let before = '';
  while (!signal?.aborted) {
    const found = await ask(tasks, id, onAway);
    if (signal?.aborted) {
      break;
    }
    if (found) {
      onProgress(found);
      if (hasEnded(found)) {
        return found;
      }
      const now = `${found.status} ${found.done}`;
      next = now === before ? Math.min(next * GROWTH, LONGEST_PAUSE) : FIRST_PAUSE;
      before = now;
    } else {
      next = Math.min(next * GROWTH * GROWTH, LONGEST_PAUSE);
    }
    await wait(next, signal);
  }
  return undefined;
}

/** Give the newest task of a kind that has not ended, so that a page can go on showing it. */
export async function openTask(
  tasks: Pick<TasksApi, 'list'>,
  isWanted: (name: string) => boolean,
): Promise<Task | undefined> {
  const { items } = await tasks.list({ limit: 20 });
  return items.find((each) => !hasEnded(each) && isWanted(each.task));
}

function hasEnded(task: Task): boolean {
  return task.status === 'SUCCESS' || task.status === 'FAILURE';
}

async function ask(
  tasks: Pick<TasksApi, 'read'>,
  id: string,
  onAway?: (error: EmailError) => void,
): Promise<Task | undefined> {
  try {
    return await tasks.read(id);
  } catch (error) {
    if (!(error instanceof EmailError) || !error.isTemporary) {
      throw error;
    }
    onAway?.(error);
    return undefined;
  }
}

function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal?.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
