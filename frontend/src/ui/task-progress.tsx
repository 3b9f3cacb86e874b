/** How far a task is, for eyes and for screen readers. */

import { FunctionalComponent, h } from '@stencil/core';

import { Task } from '../services/email-api/tasks';
import { Texts } from '../translate';

interface Props {
  texts: Texts;
  /** What is going on: "Emails are being synced". */
  label: string;
  task?: Task;
  /** The server did not answer when it was asked last. */
  away?: boolean;
}

export const TaskProgress: FunctionalComponent<Props> = ({ texts, label, task, away }) => {
  const total = task?.total ?? 0;
  return (
    <div class="panel task" role="status">
      <p class="panel-title">{label}</p>
      {total > 0 ? (
        <progress aria-label={label} value={task?.done} max={total} />
      ) : (
        <progress aria-label={label} />
      )}
      <p class="quiet">{away ? texts.get('admin.task.away') : sentence(texts, task)}</p>
    </div>
  );
};

function sentence(texts: Texts, task?: Task): string {
  if (!task || (task.status === 'PENDING' && !task.reason)) {
    return texts.get('admin.task.waiting');
  }
  if (task.reason) {
    return texts.get('admin.task.again', { reason: task.reason });
  }
  return texts.get('admin.task.working', { done: task.done, total: task.total });
}
