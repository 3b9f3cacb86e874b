/** How an installation is set up and how it does. */

import { Client, Page, Paging } from './client';

export interface Extension {
  name: string;
  enabled: boolean;
  hooks: string[];
  filters: { name: string; description: string }[];
  actions: { name: string; description: string }[];
}

/** How far the installation has come; `problem` says why the `steps` cannot be done. */
export interface SetupState {
  installed: boolean;
  steps: string[];
  problem: string;
  engine: {
    reachable: boolean;
    licensed: boolean | null;
    webhook_url: string;
    webhook_registered: boolean | null;
    message: string;
  };
}

export interface SetupReport {
  steps: string[];
  applied: boolean;
  unfinished: string;
}

export interface LogEntry {
  id: number;
  at: string;
  level: string;
  code: string;
  account: string;
  text: string;
  details: Record<string, unknown>;
}

export interface AuditEntry {
  id: number;
  at: string;
  user: number;
  user_name: string;
  action: string;
  subject: string;
  subject_id: string;
  before: unknown;
  after: unknown;
}

export interface FailedJob {
  id: number;
  task: string;
  attempts: number;
  created_at: string;
  finished_at: string | null;
  reason: string;
}

/** The failed jobs, and how many there are in each state. */
export interface JobPage extends Page<FailedJob> {
  counts: Record<string, number>;
}

export interface InstallationApi {
  extensions(): Promise<Page<Extension>>;
  switchExtension(name: string, enabled: boolean): Promise<Extension>;
  setup(): Promise<SetupState>;
  runSetup(): Promise<SetupReport>;
  log(query?: Paging & { level?: string; account?: number }): Promise<Page<LogEntry>>;
  audit(query?: Paging & { subject?: string; subject_id?: string }): Promise<Page<AuditEntry>>;
  jobs(paging?: Paging): Promise<JobPage>;
  /** Try failed jobs once more; all of them without ids. */
  retryJobs(ids?: number[] | null): Promise<{ retried: number }>;
  engineHealth(): Promise<{ status: 'ok'; account: number | null }>;
}

export function installation(client: Client): InstallationApi {
  return {
    extensions: () => client.get('extension/'),
    switchExtension: (name, enabled) => client.put('extension/', { name, enabled }),
    setup: () => client.get('setup/'),
    runSetup: () => client.post('setup/'),
    log: (query) => client.get('log/', { ...query }),
    audit: (query) => client.get('audit/', { ...query }),
    jobs: (paging) => client.get('jobs/', { ...paging }),
    retryJobs: (ids = null) => client.post('jobs/retry/', { ids }),
    engineHealth: () => client.get('health/engine'),
  };
}
