/** What administrators set, install and look at. */

import { Client, Page, Paging } from './client';

export interface Setting {
  name: string;
  title: string;
  type: string;
  /** Null for a secret; `is_set` tells whether there is one. */
  value: unknown;
  default: unknown;
  source: 'default' | 'environment' | 'administrator';
  editable: boolean;
  secret: boolean;
  is_set: boolean;
  least: number | null;
  most: number | null;
  help: string;
}

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
    licensed: boolean;
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

export interface TimeZone {
  name: string;
  /** Minutes ahead of UTC at this moment. */
  offset: number;
  label: string;
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

export interface AdministrationApi {
  settings(): Promise<Page<Setting>>;
  /** Change the named settings; null takes a change back. */
  changeSettings(values: Record<string, unknown>): Promise<Page<Setting>>;
  extensions(): Promise<Page<Extension>>;
  switchExtension(name: string, enabled: boolean): Promise<Extension>;
  setup(): Promise<SetupState>;
  runSetup(): Promise<SetupReport>;
  timeZones(paging?: Paging): Promise<Page<TimeZone>>;
  log(query?: Paging & { level?: string; account?: number }): Promise<Page<LogEntry>>;
  audit(query?: Paging & { subject?: string; subject_id?: string }): Promise<Page<AuditEntry>>;
  jobs(paging?: Paging): Promise<JobPage>;
  /** Try failed jobs once more; all of them without ids. */
  retryJobs(ids?: number[] | null): Promise<{ retried: number }>;
  engineHealth(): Promise<{ status: 'ok'; account: number | null }>;
}

export function administration(client: Client): AdministrationApi {
  return {
    settings: () => client.get('settings/'),
    changeSettings: (values) => client.put('settings/', values),
    extensions: () => client.get('extension/'),
    switchExtension: (name, enabled) => client.put('extension/', { name, enabled }),
    setup: () => client.get('setup/'),
    runSetup: () => client.post('setup/'),
    timeZones: (paging) => client.get('time-zone/', { ...paging }),
    log: (query) => client.get('log/', { ...query }),
    audit: (query) => client.get('audit/', { ...query }),
    jobs: (paging) => client.get('jobs/', { ...paging }),
    retryJobs: (ids = null) => client.post('jobs/retry/', { ids }),
    engineHealth: () => client.get('health/engine'),
  };
}
