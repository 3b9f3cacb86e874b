import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { localeOf } from '../../locale';
import { Context, Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { Account, AccountOutcome } from '../../services/email-api/accounts';
import { Page } from '../../services/email-api/client';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { RecoveryReport, Task } from '../../services/email-api/tasks';
import { Texts, textsOf } from '../../translate';
import { confirmAction, Question } from '../../ui/confirm';
import { explain } from '../../ui/explain';
import { SelectField, stop, TextField } from '../../ui/fields';
import { followTask, openTask } from '../../ui/follow-task';
import { here, leaveFor, leaveNote, takeNote } from '../../ui/leave';
import { notify, notifyError } from '../../ui/notify';
import { TaskProgress } from '../../ui/task-progress';
import { BegunAccount } from '../lwc-limepkg-email-account-add/lwc-limepkg-email-account-add';
import { usableApps } from './account-choices';
import {
  Arrival,
  ArrivalPanel,
  BulkAction,
  Outcomes,
  OutcomesPanel,
  Recovered,
  RecoveredPanel,
} from './account-panels';
import { AccountRow } from './account-row';
import { FILTER_STATES, isFailing, stateText, StepAction } from './account-words';

const PAGE = 25;
const MANY = 200;
const MOST_NAMED = 10;
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
  @State() private task?: Task;
  @State() private away = false;
  @State() private recovered?: Recovered;
  @State() private arrival?: Arrival;

  private texts!: Texts;
  private gone = new AbortController();
  private typing?: ReturnType<typeof setTimeout>;
  private asked = 0;

  connectedCallback(): void {
    this.gone = new AbortController();
  }

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
    void this.load();
    void this.loadApps();
    void this.welcome();
    void this.resume();
  }

  disconnectedCallback(): void {
    this.gone.abort();
    clearTimeout(this.typing);
  }

  render(): VNode {
    const text = this.texts;
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
        {this.task && (
          <TaskProgress
            texts={text}
            label={text.get('accounts.syncing')}
            task={this.task}
            away={this.away}
          />
        )}
        {this.recovered && (
          <RecoveredPanel
            texts={text}
            recovered={this.recovered}
            onClose={() => (this.recovered = undefined)}
          />
        )}
        {this.outcomes && (
          <OutcomesPanel
            texts={text}
            outcomes={this.outcomes}
            onClose={() => (this.outcomes = undefined)}
          />
        )}
        {(this.isFiltered || Boolean(this.page?.total)) && this.renderFilters()}
        {this.selected.length > 0 && !this.locked && this.renderSelection()}
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

  private renderFilters(): VNode {
    const text = this.texts;
    return (
      <div class="filters" role="search">
        <TextField
          name="query"
          type="search"
          label={text.get('accounts.search')}
          value={this.query}
          onValue={(value) => this.search(value)}
        />
        <SelectField
          name="state"
          label={text.get('accounts.state')}
          value={this.state}
          options={[
            { value: '', text: text.get('accounts.state.all') },
            ...FILTER_STATES.map((each) => ({ value: each, text: stateText(each, text) })),
          ]}
          onValue={(value) => {
            this.state = value;
            void this.show(0);
          }}
        />
      </div>
    );
  }

  private renderSelection(): VNode {
    const text = this.texts;
    const action = (label: string, run: () => Promise<void>, icon: string): VNode => (
      <limel-button label={label} icon={icon} disabled={this.busy} onClick={() => void run()} />
    );
    return (
      <div class="selection" role="group" aria-label={text.get('accounts.selection')}>
        <strong role="status">{text.count('accounts.selected', this.selected.length)}</strong>
        <div class="actions">
          <limel-button
            outlined={true}
            icon="synchronize"
            label={text.get('accounts.sync')}
            disabled={this.busy || Boolean(this.task)}
            onClick={() => void this.recover(this.chosen)}
          />
          {action(text.get('accounts.enable'), () => this.bulk('enable'), 'play')}
          {action(text.get('accounts.disable'), () => this.bulk('disable'), 'pause')}
          {action(text.get('admin.delete'), () => this.bulk('delete'), 'trash')}
        </div>
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
        this.renderEmpty()
      );
    }
    return [this.renderSelectAll(), this.renderTable(this.page), this.renderPages(this.page)];
  }

  private renderEmpty(): VNode {
    const text = this.texts;
    return (
      <div class="panel empty">
        <h3>{text.get('accounts.empty')}</h3>
        <p>{text.get('accounts.empty_imap')}</p>
        <p>
          {text.get(
            usableApps(this.apps).length ? 'accounts.empty_apps' : 'accounts.empty_no_apps',
          )}
        </p>
        {!this.locked && (
          <limel-button
            primary={true}
            label={text.get('accounts.add')}
            onClick={() => (this.open = { kind: 'add' })}
          />
        )}
      </div>
    );
  }

  private renderTable({ items }: Page<Account>): VNode {
    const text = this.texts;
    return (
      <table role="table" class={{ locked: this.locked }} aria-label={text.get('accounts.title')}>
        <thead role="rowgroup">
          <tr role="row">
            {!this.locked && (
              <th role="columnheader" class="select">
                {this.renderAllBox(text.get('accounts.select_all'))}
              </th>
            )}
            <th role="columnheader">{text.get('accounts.account')}</th>
            <th role="columnheader">{text.get('accounts.state')}</th>
            <th role="columnheader">{text.get('accounts.activity')}</th>
            {!this.locked && (
              <th role="columnheader">
                <span class="hidden">{text.get('admin.edit')}</span>
              </th>
            )}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((each) => (
            <AccountRow
              key={String(each.id)}
              texts={text}
              locale={localeOf(this.platform)}
              account={each}
              report={this.reports.find((report) => report.account === each.id)}
              app={this.apps.find((app) => app.engine_app === each.oauth_app)?.name}
              selected={this.selected.includes(each.id)}
              locked={this.locked}
              busy={this.busy}
              onSelect={(selected) => this.select(each.id, selected)}
              onStep={(step) => void this.take(step, each)}
              onEdit={() => (this.open = { kind: 'edit', account: each })}
            />
          ))}
        </tbody>
      </table>
    );
  }

  /** On narrow pages the table has no head. */
  private renderSelectAll(): VNode | undefined {
    if (this.locked) {
      return undefined;
    }
    const label = this.texts.get('accounts.select_all');
    return (
      <label class="select-all">
        {this.renderAllBox(label)} {label}
      </label>
    );
  }

  private renderAllBox(label: string): VNode {
    const items = this.page?.items ?? [];
    const all = items.length > 0 && items.every((each) => this.selected.includes(each.id));
    return (
      <input
        type="checkbox"
        aria-label={label}
        checked={all}
        indeterminate={!all && this.selected.length > 0}
        onChange={() => (this.selected = all ? [] : items.map((each) => each.id))}
      />
    );
  }

  private renderPages({ items, total }: Page<Account>): VNode | undefined {
    if (total <= PAGE) {
      return undefined;
    }
    const text = this.texts;
    const to = this.offset + items.length;
    return (
      <nav class="pages" aria-label={text.get('admin.pages')}>
        <span role="status">{text.get('admin.page', { from: this.offset + 1, to, total })}</span>
        <limel-button
          label={text.get('admin.previous')}
          disabled={this.offset === 0}
          onClick={() => void this.show(this.offset - PAGE)}
        />
        <limel-button
          label={text.get('admin.next')}
          disabled={to >= total}
          onClick={() => void this.show(this.offset + PAGE)}
        />
      </nav>
    );
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

  private select(account: number, selected: boolean): void {
    const others = this.selected.filter((each) => each !== account);
    this.selected = selected ? [...others, account] : others;
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
    this.arrival = { account, asking: asking && !account.enabled };
    if (isFailing(account)) {
      return;
    }
    const preview = await emailApi(this.platform).accounts.preview(account.id);
    this.arrival = { ...this.arrival, preview };
    if (this.arrival.asking && preview.unread === 0) {
      await this.activate(account, false);
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
        await this.followNewest(found);
      }
    } catch (error) {
      notifyError(this.platform, this.texts.get('accounts.not_saved'), error);
    } finally {
      this.busy = false;
    }
    await this.load();
  }

  /** Shows the sync that enabling an account has started. */
  private async followNewest(account: Account): Promise<void> {
    const { items } = await emailApi(this.platform).tasks.list({ limit: PAGE });
    const task = items.find((each) => isRecovery(each.task));
    if (task) {
      await this.follow(task.id, [account]);
    }
  }

  private async stored(account: Account): Promise<void> {
    this.open = undefined;
    notify(this.platform, this.texts.get('accounts.saved', { email: account.email }));
    this.change.emit(this.value);
    await this.load();
  }

  // --- several at a time --------------------------------------------------------------------------

  private async bulk(action: BulkAction, accounts = this.chosen): Promise<void> {
    if (!(await confirmAction(this.platform, this.question(action, accounts)))) {
      return;
    }
    const ids = accounts.map((each) => each.id);
    const api = emailApi(this.platform).accounts;
    this.busy = true;
    try {
      const { items } =
        action === 'delete' ? await api.remove(ids) : await api.enable(ids, action === 'enable');
      this.outcomes = { action, items: items.map((each) => named(each, accounts)) };
      this.change.emit(this.value);
    } catch (error) {
      notifyError(this.platform, this.texts.get('accounts.not_done'), error);
    } finally {
      this.busy = false;
    }
    await this.load();
  }

  private question(action: BulkAction, accounts: Account[]): Question {
    const text = this.texts;
    const count = accounts.length;
    const listed = accounts.slice(0, MOST_NAMED).map((each) => each.email);
    const left = count - listed.length;
    const names = left > 0 ? [...listed, text.count('admin.more', left)] : listed;
    const asked = {
      enable: {
        title: text.count('accounts.enable_title', count),
        note: text.get('accounts.enable_note'),
        action: text.get('accounts.enable'),
      },
      disable: {
        title: text.count('accounts.disable_title', count),
        note: text.get('accounts.disable_note'),
        action: text.get('accounts.disable'),
      },
      delete: {
        title: text.count('accounts.delete_title', count),
        note: text.get('accounts.delete_note'),
        action: text.get('admin.delete'),
      },
    }[action];
    return {
      title: asked.title,
      message: [...names, '', asked.note].join('\n'),
      action: asked.action,
    };
  }

  // --- syncing emails -----------------------------------------------------------------------------

  private async recover(accounts: Account[]): Promise<void> {
    const enabled = accounts.filter((each) => each.enabled);
    if (!enabled.length) {
      notify(this.platform, this.texts.get('accounts.sync_disabled'));
      return;
    }
    this.recovered = undefined;
    this.busy = true;
    try {
      const ids = enabled.map((each) => each.id);
      const { id } = await emailApi(this.platform).tasks.recover(ids);
      this.busy = false;
      await this.follow(id, enabled);
    } catch (error) {
      this.recovered = { items: [], problem: explain(error, this.texts) };
    } finally {
      this.busy = false;
    }
  }

  private async follow(id: string, accounts: Account[] = []): Promise<void> {
    const api = emailApi(this.platform);
    const ended = await followTask(api.tasks, id, {
      signal: this.gone.signal,
      onAway: () => (this.away = true),
      onProgress: (task) => {
        this.away = false;
        this.task = task;
      },
    }).finally(() => (this.task = undefined));
    if (!ended) {
      return;
    }
    await this.load();
    const problem =
      ended.status === 'FAILURE' ? ended.reason || this.texts.get('error.internal') : '';
    const known = [...accounts, ...(this.page?.items ?? [])];
    const items = this.reports
      .filter((each) => each.run === id)
      .map((report) => ({ email: emailOf(report.account, known), report }));
    this.recovered = { items, problem };
    this.change.emit(this.value);
  }

  /** Goes on showing a sync that somebody started before this page was opened. */
  private async resume(): Promise<void> {
    try {
      const task = await openTask(emailApi(this.platform).tasks, isRecovery);
      if (task && !this.task) {
        this.task = task;
        await this.follow(task.id);
      }
    } catch {
      // It is shown for convenience only.
      this.task = undefined;
    }
  }
}

function isRecovery(task: string): boolean {
  return task.includes('recover');
}

function named(outcome: AccountOutcome, accounts: readonly Account[]): Outcomes['items'][number] {
  return { ...outcome, email: emailOf(outcome.id, accounts) };
}

function emailOf(id: number | null, accounts: readonly Account[]): string {
  return accounts.find((each) => each.id === id)?.email ?? `#${id ?? '?'}`;
}
