import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { localeOf } from '../../locale';
import { Context, Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { Account, AccountOutcome } from '../../services/email-api/accounts';
import { Page } from '../../services/email-api/client';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { RecoveryReport } from '../../services/email-api/tasks';
import { Texts, textsOf } from '../../translate';
import { confirmAction } from '../../ui/confirm';
import { explain } from '../../ui/explain';
import { stop } from '../../ui/fields';
import { here, leaveFor, leaveNote, takeNote } from '../../ui/leave';
import { notify, notifyError } from '../../ui/notify';
import { TaskProgress } from '../../ui/task-progress';
import { BegunAccount } from '../lwc-limepkg-email-account-add/lwc-limepkg-email-account-add';
import { Filters, NoAccounts, Pages, Selection } from './account-bars';
import {
  Arrival,
  ArrivalPanel,
  BulkAction,
  emailOf,
  Outcomes,
  OutcomesPanel,
  RecoveredPanel,
} from './account-panels';
import { AccountTable } from './account-table';
import { isFailing, StepAction } from './account-words';
import { affected, bulkQuestion } from './bulk-question';
import { deleteAccounts } from './deletion';
import { Recovery } from './recovery';

const PAGE = 25;
const MANY = 200;
const TYPING = 300;
const NOTE = 'limepkg-email.connecting';

type Open = { kind: 'add' } | { kind: 'again' | 'edit'; account: Account };

/** Connects, changes, disables and deletes mailboxes, and starts the sync of their emails. */
@Component({
  tag: 'lwc-account-management',
  styleUrls: ['../../ui/admin.css', 'lwc-account-management.css'],
  shadow: true,
})
export class AccountManagement {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** What the host stands in. */
  @Prop() context?: Context;

  /** The value of the administrator's form; the accounts have their own storage. */
  @Prop() value?: unknown;

  /** The heading. */
  @Prop() label?: string;

  /** Nothing can be changed. */
  @Prop() readonly = false;

  /** Nothing can be changed for the time being. */
  @Prop() disabled = false;

  /** Set by forms. */
  @Prop() required = false;

  /** Said below the heading. */
  @Prop() helperText?: string;

  /** Set by forms. */
  @Prop() formInfo?: object;

  /** Accounts have changed; carries `value` as it is. */
  @Event() change!: EventEmitter<unknown>;

  @State() private page?: Page<Account>;
  @State() private error: unknown;
  @State() private query = '';
  @State() private state = '';
  @State() private offset = 0;
  @State() private selected: readonly number[] = [];
  @State() private apps: OAuthApp[] = [];
  @State() private reports: RecoveryReport[] = [];
  @State() private open?: Open;
  @State() private busy = false;
  @State() private outcomes?: Outcomes;
  @State() private tick = 0;
  @State() private arrival?: Arrival;

  private texts!: Texts;
  private recovery!: Recovery;
  private gone = new AbortController();
  private typing?: ReturnType<typeof setTimeout>;
  private asked = 0;

  connectedCallback(): void {
    this.gone = new AbortController();
  }

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
    this.recovery = this.makeRecovery();
    void this.load();
    void this.loadApps();
    void this.welcome();
    void this.recovery.resume();
  }

  disconnectedCallback(): void {
    this.gone.abort();
    clearTimeout(this.typing);
  }

  render(): VNode {
    const { texts: text, recovery } = this;
    return (
      <div class="root" onChange={stop}>
        {this.renderHead()}
        {this.arrival && (
          <ArrivalPanel
            texts={text}
            locale={localeOf(this.platform)}
            arrival={this.arrival}
            busy={this.busy}
            onActivate={(account, withOld) => void this.activate(account, withOld)}
            onClose={() => (this.arrival = undefined)}
          />
        )}
        {recovery.task && (
          <TaskProgress
            texts={text}
            label={text.get('accounts.syncing')}
            task={recovery.task}
            away={recovery.away}
          />
        )}
        {recovery.result && (
          <RecoveredPanel
            texts={text}
            recovered={recovery.result}
            onClose={() => recovery.dismiss()}
          />
        )}
        {this.outcomes && (
          <OutcomesPanel
            texts={text}
            outcomes={this.outcomes}
            onClose={() => (this.outcomes = undefined)}
          />
        )}
        {(this.isFiltered || Boolean(this.page?.total)) && (
          <Filters
            texts={text}
            query={this.query}
            state={this.state}
            onQuery={(query) => this.search(query)}
            onState={(state) => this.narrow(state)}
          />
        )}
        {this.selected.length > 0 && !this.locked && (
          <Selection
            texts={text}
            accounts={this.chosen}
            busy={this.busy}
            syncing={recovery.isBusy}
            onSync={() => void this.sync(this.chosen)}
            onAction={(action) => void this.bulk(action, affected(action, this.chosen))}
          />
        )}
        {this.renderList()}
        {this.renderDialog()}
      </div>
    );
  }

  private get locked(): boolean {
    return this.readonly || this.disabled;
  }

  private get isFiltered(): boolean {
    return Boolean(this.query || this.state);
  }

  private get chosen(): Account[] {
    return this.page?.items.filter((each) => this.selected.includes(each.id)) ?? [];
  }

  private renderHead(): VNode {
    return (
      <div class="head">
        <div>
          <h2>{this.label ?? this.texts.get('accounts.title')}</h2>
          <p class="quiet">{this.helperText ?? this.texts.get('accounts.about')}</p>
        </div>
        {!this.locked && (
          <limel-button
            primary={true}
            icon="plus_math"
            label={this.texts.get('accounts.add')}
            onClick={() => (this.open = { kind: 'add' })}
          />
        )}
      </div>
    );
  }

  private renderList(): VNode | (VNode | undefined)[] {
    const text = this.texts;
    if (this.error !== undefined) {
      return (
        <div class="panel failed" role="alert">
          <p>{explain(this.error, text)}</p>
          <limel-button label={text.get('admin.retry')} onClick={() => void this.load()} />
        </div>
      );
    }
    if (!this.page) {
      return <p class="quiet">{text.get('admin.loading')}</p>;
    }
    if (!this.page.items.length) {
      return this.isFiltered ? (
        <p class="panel empty">{text.get('accounts.none_found')}</p>
      ) : (
        <NoAccounts
          texts={text}
          apps={this.apps}
          onAdd={this.locked ? undefined : () => (this.open = { kind: 'add' })}
        />
      );
    }
    return [
      <AccountTable
        texts={text}
        locale={localeOf(this.platform)}
        accounts={this.page.items}
        apps={this.apps}
        reports={this.reports}
        selected={this.selected}
        locked={this.locked}
        busy={this.busy}
        onSelect={(selected) => (this.selected = selected)}
        onStep={(step, account) => void this.take(step, account)}
        onEdit={(account) => (this.open = { kind: 'edit', account })}
      />,
      <Pages
        texts={text}
        from={this.offset}
        shown={this.page.items.length}
        total={this.page.total}
        size={PAGE}
        onShow={(offset) => void this.show(offset)}
      />,
    ];
  }

  private renderDialog(): VNode | undefined {
    const close = (): void => void (this.open = undefined);
    if (this.open?.kind === 'edit') {
      return (
        <lwc-limepkg-email-account-edit
          platform={this.platform}
          account={this.open.account}
          onSaved={({ detail }) => void this.stored(detail)}
          onCancelled={close}
        />
      );
    }
    return (
      this.open && (
        <lwc-limepkg-email-account-add
          platform={this.platform}
          apps={this.apps}
          account={this.open.kind === 'again' ? this.open.account : undefined}
          onBegun={({ detail }) => this.leave(detail)}
          onCancelled={close}
        />
      )
    );
  }

  // --- reading ------------------------------------------------------------------------------------

  private async load(): Promise<void> {
    const asked = ++this.asked;
    const api = emailApi(this.platform);
    const { query, state, offset } = this;
    try {
      const [page, reports] = await Promise.all([
        api.accounts.list({ query, state, limit: PAGE, offset }),
        api.tasks.recoveryReports({ limit: MANY }),
      ]);
      // The answer to an earlier question must not replace that to a later one.
      if (asked === this.asked) {
        this.page = page;
        this.reports = reports.items;
        this.error = undefined;
        const shown = page.items.map((each) => each.id);
        this.selected = this.selected.filter((each) => shown.includes(each));
      }
    } catch (error) {
      if (asked === this.asked) {
        this.error = error;
      }
    }
  }

  private async loadApps(): Promise<void> {
    try {
      this.apps = (await emailApi(this.platform).oauthApps.list({ limit: MANY })).items;
    } catch {
      // The list is readable without their names, and IMAP can be connected.
      this.apps = [];
    }
  }

  private async show(offset: number): Promise<void> {
    this.offset = Math.max(offset, 0);
    this.selected = [];
    await this.load();
  }

  private search(query: string): void {
    this.query = query;
    clearTimeout(this.typing);
    this.typing = setTimeout(() => void this.show(0), TYPING);
  }

  private narrow(state: string): void {
    this.state = state;
    void this.show(0);
  }

  // --- connecting ---------------------------------------------------------------------------------

  private leave({ url, email, oldMail }: BegunAccount): void {
    leaveNote(NOTE, { email, asking: oldMail === 'ask' && this.open?.kind === 'add' });
    this.open = undefined;
    leaveFor(url);
  }

  private async take(step: StepAction, account: Account): Promise<void> {
    if (step === 'choose') {
      this.open = { kind: 'again', account };
    } else if (step === 'enable') {
      await this.bulk('enable', [account]);
    } else {
      await this.signIn(account);
    }
  }

  private async signIn(account: Account): Promise<void> {
    this.busy = true;
    try {
      const form = { account: account.id, back: here() };
      const { url } = await emailApi(this.platform).accounts.form(form);
      // One that was added and never got in still has its unread mail to choose about.
      const asking = this.arrival?.account.id === account.id && this.arrival.asking;
      leaveNote(NOTE, { email: account.email, asking });
      leaveFor(url);
    } catch (error) {
      notifyError(this.platform, this.texts.get('accounts.no_form'), error);
    } finally {
      this.busy = false;
    }
  }

  /** Says what came of a mailbox for which this page was left. */
  private async welcome(): Promise<void> {
    const note = takeNote(NOTE);
    const email = typeof note?.email === 'string' ? note.email.toLowerCase() : '';
    if (!email) {
      return;
    }
    try {
      const { accounts } = emailApi(this.platform);
      const { items } = await accounts.list({ query: email, limit: PAGE });
      const account = items.find((each) => each.email.toLowerCase() === email);
      if (account) {
        await this.receive(account, note?.asking === true);
      }
    } catch {
      // Its row says how it fares.
    }
  }

  private async receive(account: Account, asking: boolean): Promise<void> {
    const begins = asking && !account.enabled;
    if (isFailing(account)) {
      // Asked once somebody has signed in again.
      this.arrival = { account, asking: begins };
      return;
    }
    const preview = await emailApi(this.platform).accounts.preview(account.id);
    // Without unread mail there is nothing to ask.
    if (begins && preview.unread === 0) {
      await this.activate(account, false);
    } else {
      this.arrival = { account, asking: begins, preview };
    }
  }

  /**
   * Lets a new account begin, once it is known what becomes of its unread mail: what a sync has
   * seen and left is not imported later.
   */
  private async activate(account: Account, withOld: boolean): Promise<void> {
    const api = emailApi(this.platform);
    this.busy = true;
    try {
      if (withOld) {
        await api.accounts.change(account.id, { import_unread: true });
      }
      const { items } = await api.accounts.enable([account.id], true);
      this.change.emit(this.value);
      const failed = items.filter((each) => each.outcome === 'failed');
      if (failed.length) {
        this.outcomes = { action: 'enable', items: failed.map((each) => named(each, [account])) };
      } else {
        const found = await api.accounts.read(account.id);
        this.arrival = withOld ? undefined : { account: found, asking: false };
        await this.recovery.followNewest(found);
      }
    } catch (error) {
      notifyError(this.platform, this.texts.get('accounts.not_saved'), error);
    } finally {
      this.busy = false;
    }
    await this.load();
  }

  private async stored(account: Account): Promise<void> {
    this.open = undefined;
    notify(this.platform, this.texts.get('accounts.saved', { email: account.email }));
    this.change.emit(this.value);
    await this.load();
  }

  // --- several at a time --------------------------------------------------------------------------

  private async bulk(action: BulkAction, accounts: readonly Account[]): Promise<void> {
    if (!(await confirmAction(this.platform, bulkQuestion(action, accounts, this.texts)))) {
      return;
    }
    const ids = accounts.map((each) => each.id);
    const api = emailApi(this.platform);
    const signal = this.gone.signal;
    this.busy = true;
    try {
      const { items } =
        action === 'delete'
          ? await deleteAccounts(api, ids, { signal })
          : await api.accounts.enable(ids, action === 'enable');
      this.outcomes = { action, items: items.map((each) => named(each, accounts)) };
      this.change.emit(this.value);
    } catch (error) {
      notifyError(this.platform, this.texts.get('accounts.not_done'), error);
    } finally {
      this.busy = false;
    }
    await this.load();
  }

  // --- syncing emails -----------------------------------------------------------------------------

  private async sync(accounts: Account[]): Promise<void> {
    const enabled = accounts.filter((each) => each.enabled);
    if (!enabled.length) {
      notify(this.platform, this.texts.get('accounts.sync_disabled'));
      return;
    }
    await this.recovery.start(enabled);
  }

  private makeRecovery(): Recovery {
    return new Recovery({
      platform: this.platform,
      texts: this.texts,
      signal: () => this.gone.signal,
      changed: () => (this.tick += 1),
      ended: async () => {
        await this.load();
        this.change.emit(this.value);
        return { accounts: this.page?.items ?? [], reports: this.reports };
      },
    });
  }
}

function named(outcome: AccountOutcome, accounts: readonly Account[]): Outcomes['items'][number] {
  return { ...outcome, email: emailOf(outcome.id, accounts) };
}
