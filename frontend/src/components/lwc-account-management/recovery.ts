/** A sync of emails that is started here, or that somebody started before: how far it is. */

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { Account } from '../../services/email-api/accounts';
import { RecoveryReport, Task } from '../../services/email-api/tasks';
import { Texts } from '../../translate';
import { explain } from '../../ui/explain';
import { followTask, openTask } from '../../ui/follow-task';
import { emailOf, Recovered } from './account-panels';

const NEWEST = 25;

export interface RecoveryOptions {
  platform: Platform;
  texts: Texts;
  /** Ends the watching. */
  signal: () => AbortSignal;
  changed: () => void;
  /** Reads accounts and reports again after a sync; gives them. */
  ended: () => Promise<{ accounts: readonly Account[]; reports: readonly RecoveryReport[] }>;
}

export class Recovery {
  /** What goes on. */
  task?: Task;

  /** The server does not answer. */
  away = false;

  /** What came of the last one. */
  result?: Recovered;

  private isStarting = false;

  constructor(private readonly options: RecoveryOptions) {}

  /** Whether another one has to wait. */
  get isBusy(): boolean {
    return this.isStarting || Boolean(this.task);
  }

  /** Sync accounts; settled when that has ended. */
  async start(accounts: readonly Account[]): Promise<void> {
    this.isStarting = true;
    this.show(undefined);
    try {
      const { id } = await emailApi(this.options.platform).tasks.recover(
        accounts.map((each) => each.id),
      );
      this.isStarting = false;
      await this.follow(id, accounts);
    } catch (error) {
      this.isStarting = false;
      this.show({ items: [], problem: explain(error, this.options.texts) });
    }
  }

  /** Show the sync that enabling an account has started. */
  async followNewest(account: Account): Promise<void> {
    const { items } = await emailApi(this.options.platform).tasks.list({ limit: NEWEST });
    const task = items.find((each) => isRecovery(each.task));
    if (task) {
      await this.follow(task.id, [account]);
    }
  }

  /** Go on showing a sync that somebody started before this page was opened. */
  async resume(): Promise<void> {
    try {
      const task = await openTask(emailApi(this.options.platform).tasks, isRecovery);
      if (task && !this.task) {
        this.progressed(task);
        await this.follow(task.id);
      }
    } catch {
      // It is shown for convenience only.
      this.progressed(undefined);
    }
  }

  dismiss(): void {
    this.show(undefined);
  }

  private async follow(id: string, accounts: readonly Account[] = []): Promise<void> {
    const { platform, texts, signal } = this.options;
    const ended = await followTask(emailApi(platform).tasks, id, {
      signal: signal(),
      onAway: () => this.progressed(this.task, true),
      onProgress: (task) => this.progressed(task),
    }).finally(() => this.progressed(undefined));
    if (!ended) {
      return;
    }
    const { accounts: shown, reports } = await this.options.ended();
    const known = [...accounts, ...shown];
    const items = reports
      .filter((each) => each.run === id)
      .map((report) => ({ email: emailOf(report.account, known), report }));
    const problem = ended.status === 'FAILURE' ? ended.reason || texts.get('error.internal') : '';
    this.show({ items, problem });
  }

  private progressed(task: Task | undefined, away = false): void {
    this.task = task;
    this.away = away;
    this.options.changed();
  }

  private show(result: Recovered | undefined): void {
    this.result = result;
    this.options.changed();
  }
}

function isRecovery(task: string): boolean {
  return task.includes('recover');
}
