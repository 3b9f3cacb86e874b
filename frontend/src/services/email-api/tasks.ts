/** Work that takes longer than a request: starting it, and how far it is. */

import { Client, Page, Paging } from './client';

export interface Task {
  id: string;
  task: string;
  status: 'PENDING' | 'STARTED' | 'SUCCESS' | 'FAILURE';
  done: number;
  total: number;
  /** The report of a task that succeeded. */
  result: unknown;
  /** Why it failed, or why its last attempt did and another follows. */
  reason: string;
  user: number | null;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
}

export interface Started {
  id: string;
  status: Task['status'];
}

export interface Difference {
  engine_id: string;
  name: string;
  changed: string[];
}

export interface Differences {
  added: Difference[];
  updated: Difference[];
  missing: Difference[];
}

/** What a sync would do; the `result` of its task has the same form. */
export interface SyncPlan {
  apps: Differences;
  accounts: Differences;
}

/** What one recovery found in one account: each mail it listed is in one of the counts. */
export interface RecoveryReport {
  id: number;
  account: number | null;
  run: string;
  started_at: string;
  finished_at: string;
  listed: number;
  known: number;
  imported: number;
  recovered: number;
  second_sightings: number;
  filtered: number;
  own: number;
  too_old: number;
  before_activation: number;
  in_grace: number;
  failed: number;
  /** Always 0. */
  unaccounted: number;
  error: string;
}

export interface TasksApi {
  read(task: string): Promise<Task>;
  list(query?: Paging & { ids?: string }): Promise<Page<Task>>;
  /** Bring applications and accounts in line with EmailEngine, or join the sync under way. */
  sync(): Promise<Started>;
  planSync(): Promise<SyncPlan>;
  /** Look for missed and failed mail in accounts; in all enabled ones without ids. */
  recover(accounts?: number[]): Promise<Started>;
  recoveryReports(query?: Paging & { account?: number }): Promise<Page<RecoveryReport>>;
}

export function tasks(client: Client): TasksApi {
  return {
    read: (task) => client.get(`task/${task}/`),
    list: (query) => client.get('task/', { ...query }),
    sync: () => client.post('sync/'),
    planSync: () => client.post('sync/', { dry_run: true }),
    recover: (accounts = []) => client.post('recovery/start/', { accounts }),
    recoveryReports: (query) => client.get('recovery/report/', { ...query }),
  };
}
