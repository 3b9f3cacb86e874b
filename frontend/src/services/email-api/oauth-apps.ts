/** OAuth2 applications, with which mailboxes at Google and Microsoft sign in. */

import { Client, Page, Paging } from './client';

export interface OAuthAppSettings {
  name: string;
  client_id: string;
  /** Write-only: answers tell `has_secret`. */
  client_secret: string;
  base_scopes: 'imap' | 'api';
  /** Microsoft's tenant. */
  authority: string;
  enabled: boolean;
  redirect_url: string;
}

export type NewOAuthApp = Partial<OAuthAppSettings> &
  Pick<OAuthAppSettings, 'name' | 'client_id' | 'client_secret'> & { provider: string };

export interface OAuthApp extends Omit<OAuthAppSettings, 'client_secret'> {
  id: number;
  engine_app: string;
  provider: string;
  /** Null when EmailEngine, which has the secret, cannot be asked. */
  has_secret: boolean | null;
  /** EmailEngine does not know it any more. */
  missing: boolean;
  accounts: number;
  created_at: string;
  changed_at: string;
}

/** `redirect_url` is what to register for a new application; `problem` says why it is null. */
export interface OAuthAppPage extends Page<OAuthApp> {
  redirect_url: string | null;
  problem: string;
}

/** What was deleted, or would be: first the accounts, then the application. */
export interface OAuthAppRemoval {
  id: number;
  name: string;
  dry_run: boolean;
  deleted: boolean;
  reason: string;
  left: number;
  accounts: {
    id: number | null;
    engine_account: string;
    email: string;
    name: string;
    outcome: string;
    reason: string;
  }[];
}

export interface OAuthAppsApi {
  list(paging?: Paging): Promise<OAuthAppPage>;
  create(app: NewOAuthApp): Promise<OAuthApp>;
  change(app: number, settings: Partial<OAuthAppSettings>): Promise<OAuthApp>;
  /** With `dryRun` nothing is deleted: it tells what would be. */
  remove(app: number, dryRun?: boolean): Promise<OAuthAppRemoval>;
}

export function oauthApps(client: Client): OAuthAppsApi {
  return {
    list: (paging) => client.get('oauth_app/', { ...paging }),
    create: (app) => client.post('oauth_app/', app),
    change: (app, settings) => client.put(`oauth_app/${app}`, settings),
    remove: (app, dryRun = false) => client.delete(`oauth_app/${app}`, {}, { dry_run: dryRun }),
  };
}
