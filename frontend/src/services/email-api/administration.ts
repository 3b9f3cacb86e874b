/** What administrators set, and what they choose from. */

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

export interface TimeZone {
  name: string;
  /** Minutes ahead of UTC at this moment. */
  offset: number;
  label: string;
}

export interface AdministrationApi {
  settings(): Promise<Page<Setting>>;
  /** Change the named settings; null takes a change back. */
  changeSettings(values: Record<string, unknown>): Promise<Page<Setting>>;
  timeZones(paging?: Paging): Promise<Page<TimeZone>>;
}

export function administration(client: Client): AdministrationApi {
  return {
    settings: () => client.get('settings/'),
    changeSettings: (values) => client.put('settings/', values),
    timeZones: (paging) => client.get('time-zone/', { ...paging }),
  };
}
