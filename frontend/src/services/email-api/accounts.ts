/** Connected mailboxes, and who may use them. */

import { Client, Page, Paging } from './client';
import { Started } from './tasks';

/** Settings of an account; what is left out of a request stays as it is. */
export interface AccountSettings {
  name: string;
  aliases: string[];
  /** Ids of users who may see it and send from it. */
  users: number[];
  parent_limetype: string;
  time_zone: string;
  language: string;
  message_template: number | null;
  autoreply_template: number | null;
  relay_template: number | null;
  relay: boolean;
  create_persons: boolean;
  import_unread: boolean;
  /** HTML. */
  signature: string;
}

export interface Account extends AccountSettings {
  id: number;
  engine_account: string;
  email: string;
  type: string;
  oauth_app: string;
  enabled: boolean;
  state: string;
  state_at: string | null;
  /** Why mail does not come, in words; empty if it does. */
  cause: string;
  /** What a person can do about it: a word for programs, and as a sentence in `advice`. */
  next_step: string;
  advice: string;
  activated_at: string;
  last_seen: string | null;
  last_imported: string | null;
  last_sent: string | null;
  last_recovery: string | null;
  recovery_error: string;
}

/** An account from which the user may send. */
export interface SendingAccount {
  id: number;
  engine_account: string;
  email: string;
  name: string;
  signature: string;
  message_template: number | null;
  language: string;
  time_zone: string;
}

/** A user of the CRM. */
export interface Person {
  id: number;
  name: string;
  email: string;
}

/** What became of one account of several, and why if it failed. */
export interface AccountOutcome {
  id: number;
  outcome: 'changed' | 'deleted' | 'unchanged' | 'failed';
  reason: string;
}

/** The mailbox that is to be connected; with `account` one that signs in again. */
export interface AccountForm extends Partial<AccountSettings> {
  email?: string;
  /** `imap`, or the id of an OAuth2 application. */
  type?: string;
  account?: number | null;
  enabled?: boolean;
  /** The path in the CRM to which the person returns. */
  back?: string;
}

/** Unread mail from before the account was connected. */
export interface ActivationPreview {
  unread: number;
  exact: boolean;
  import_unread: boolean;
  activated_at: string;
}

export interface AccountsApi {
  /** The accounts from which the user may send. */
  own(paging?: Paging): Promise<Page<SendingAccount>>;
  list(query?: Paging & { query?: string; state?: string }): Promise<Page<Account>>;
  read(account: number): Promise<Account>;
  change(account: number, settings: Partial<AccountSettings>): Promise<Account>;
  preview(account: number): Promise<ActivationPreview>;
  enable(accounts: number[], enabled: boolean): Promise<Page<AccountOutcome>>;
  /** Of many accounts it gives the task that deletes them; its `result` is the page of outcomes. */
  remove(accounts: number[]): Promise<Page<AccountOutcome> | Started>;
  /** Make a link to the form on which a person connects a mailbox; it serves once. */
  form(form: AccountForm): Promise<{ url: string; expires_at: string }>;
  /** Take over what the form made, from what its redirect address says. */
  connect(token: string, engineAccount: string): Promise<{ account: Account; back: string }>;
  /** The users to whom an account can be assigned. */
  users(query?: Paging & { query?: string }): Promise<Page<Person>>;
}

export function accounts(client: Client): AccountsApi {
  return {
    own: (paging) => client.get('user/account/', { ...paging }),
    list: (query) => client.get('account/', { ...query }),
    read: (account) => client.get(`account/${account}/`),
    change: (account, settings) => client.put(`account/${account}/`, settings),
    preview: (account) => client.get(`account/${account}/preview/`),
    enable: (accounts, enabled) => client.put('account/', { accounts, enabled }),
    remove: (accounts) => client.delete('account/', { accounts }),
    form: (form) => client.post('account/form/', form),
    connect: (token, engineAccount) => client.post('account/', { token, account: engineAccount }),
    users: (query) => client.get('users/', { ...query }),
  };
}
