import { Component, Event, EventEmitter, h, Prop, State, VNode } from '@stencil/core';

import { Context, Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { OAuthApp, OAuthAppPage, OAuthAppRemoval } from '../../services/email-api/oauth-apps';
import { SyncPlan, Task } from '../../services/email-api/tasks';
import { Texts, textsOf } from '../../translate';
import { confirmAction } from '../../ui/confirm';
import { explain } from '../../ui/explain';
import { stop } from '../../ui/fields';
import { followTask, openTask } from '../../ui/follow-task';
import { nameControl } from '../../ui/name-control';
import { notify, notifyError } from '../../ui/notify';
import { TaskProgress } from '../../ui/task-progress';
import { isEmptyPlan, SyncReport } from './sync-report';

const ALL = 200;
const MOST_NAMED = 10;

/** Creates, changes and deletes OAuth2 applications, and starts the sync with EmailEngine. */
@Component({
  tag: 'lwc-oauth-app-management',
  styleUrls: ['../../ui/admin.css', 'lwc-oauth-app-management.css'],
  shadow: true,
})
export class OAuthAppManagement {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** What the host stands in. */
  @Prop() context?: Context;

  /** The value of the administrator's form; the applications have their own storage. */
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

  /** Applications have changed; carries `value` as it is. */
  @Event() change!: EventEmitter<unknown>;

  @State() private page?: OAuthAppPage;
  @State() private error: unknown;
  @State() private edited?: OAuthApp | 'new';
  @State() private busy = false;
  @State() private removal?: OAuthAppRemoval;
  @State() private plan?: SyncPlan;
  @State() private task?: Task;
  @State() private away = false;
  @State() private synced?: SyncPlan;
  @State() private syncProblem = '';

  private texts!: Texts;
  private gone = new AbortController();

  connectedCallback(): void {
    this.gone = new AbortController();
  }

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
    void this.load();
    void this.resume();
  }

  disconnectedCallback(): void {
    this.gone.abort();
  }

  render(): VNode {
    return (
      <div class="root" onChange={stop}>
        {this.renderHead()}
        {this.renderRedirect()}
        {this.page?.problem && (
          <div class="panel failed" role="status">
            <p class="panel-title">{this.texts.get('oauth.engine_away')}</p>
            <p class="quiet">{this.page.problem}</p>
          </div>
        )}
        {this.renderSync()}
        {this.removal && this.renderRemoval(this.removal)}
        {this.renderList()}
        {this.edited && (
          <lwc-limepkg-email-oauth-app-edit
            platform={this.platform}
            app={this.edited === 'new' ? undefined : this.edited}
            redirectUrl={
              this.edited === 'new' ? (this.page?.redirect_url ?? '') : this.edited.redirect_url
            }
            onSaved={({ detail }) => void this.stored(detail)}
            onCancelled={() => (this.edited = undefined)}
          />
        )}
      </div>
    );
  }

  private get locked(): boolean {
    return this.readonly || this.disabled;
  }

  private renderHead(): VNode {
    return (
      <div class="head">
        <div>
          <h2>{this.label ?? this.texts.get('oauth.title')}</h2>
          <p class="quiet">{this.helperText ?? this.texts.get('oauth.about')}</p>
        </div>
        {!this.locked && (
          <div class="actions">
            <limel-button
              outlined={true}
              icon="synchronize"
              label={this.texts.get('oauth.sync.action')}
              disabled={this.busy || Boolean(this.task)}
              onClick={() => void this.planSync()}
            />
            <limel-button
              primary={true}
              icon="plus_math"
              label={this.texts.get('oauth.add')}
              onClick={() => (this.edited = 'new')}
            />
          </div>
        )}
      </div>
    );
  }

  private renderRedirect(): VNode | undefined {
    if (!this.page?.redirect_url) {
      return undefined;
    }
    return (
      <div class="panel">
        <lwc-limepkg-email-copy
          platform={this.platform}
          label={this.texts.get('oauth.redirect')}
          value={this.page.redirect_url}
        />
        <p class="quiet">{this.texts.get('oauth.redirect_help')}</p>
      </div>
    );
  }

  private renderList(): VNode {
    if (this.error !== undefined) {
      return (
        <div class="panel failed" role="alert">
          <p>{explain(this.error, this.texts)}</p>
          <limel-button label={this.texts.get('admin.retry')} onClick={() => void this.load()} />
        </div>
      );
    }
    if (!this.page) {
      return <p class="quiet">{this.texts.get('admin.loading')}</p>;
    }
    if (!this.page.items.length) {
      return (
        <div class="panel empty">
          <h3>{this.texts.get('oauth.empty')}</h3>
          <p>{this.texts.get('oauth.empty_advice')}</p>
        </div>
      );
    }
    return <ul class="apps">{this.page.items.map((each) => this.renderApp(each))}</ul>;
  }

  private renderApp(app: OAuthApp): VNode {
    const scopes = app.base_scopes === 'imap' ? 'oauth.scopes.imap' : SCOPES[app.provider];
    return (
      <li class="app" key={String(app.id)}>
        <div>
          <h3>
            {app.name} {this.renderState(app)}
          </h3>
          <p>
            {PROVIDERS[app.provider] ?? app.provider} ·{' '}
            {scopes ? this.texts.get(scopes) : app.base_scopes}
            {app.authority && ` · ${app.authority}`}
          </p>
          <p class="quiet">
            {this.texts.count('oauth.accounts', app.accounts)} · {app.client_id}
          </p>
          {app.has_secret === false && !app.missing && (
            <p class="bad">{this.texts.get('oauth.secret_missing')}</p>
          )}
        </div>
        {!this.locked && (
          <div class="actions">
            <limel-button
              label={this.texts.get('admin.edit')}
              ref={nameControl(`${this.texts.get('admin.edit')}: ${app.name}`)}
              disabled={this.busy || app.missing}
              onClick={() => (this.edited = app)}
            />
            <limel-button
              label={this.texts.get('admin.delete')}
              ref={nameControl(`${this.texts.get('admin.delete')}: ${app.name}`)}
              disabled={this.busy}
              onClick={() => void this.deleteApp(app)}
            />
          </div>
        )}
        {app.missing && <p class="wide bad">{this.texts.get('oauth.missing_advice')}</p>}
      </li>
    );
  }

  private renderState(app: OAuthApp): VNode {
    if (app.missing) {
      return <span class="chip bad">{this.texts.get('oauth.missing')}</span>;
    }
    return app.enabled ? (
      <span class="chip good">{this.texts.get('oauth.is_enabled')}</span>
    ) : (
      <span class="chip quiet">{this.texts.get('oauth.is_disabled')}</span>
    );
  }

  private renderRemoval(removal: OAuthAppRemoval): VNode {
    const text = this.texts;
    return (
      <div class={`panel ${removal.deleted ? 'done' : 'failed'}`} role="status">
        <p class="panel-title">
          {removal.deleted
            ? text.get('oauth.removed', { name: removal.name })
            : text.get('oauth.not_removed', { name: removal.name })}
        </p>
        {removal.reason && <p>{removal.reason}</p>}
        {removal.accounts.length > 0 && (
          <ul>
            {removal.accounts.map((each) => (
              <li>
                {each.email || each.engine_account}:{' '}
                {text.get(
                  each.outcome === 'deleted' ? 'admin.outcome.deleted' : 'admin.outcome.failed',
                )}
                {each.reason && ` – ${each.reason}`}
              </li>
            ))}
          </ul>
        )}
        {removal.left > 0 && <p>{text.count('oauth.left', removal.left)}</p>}
        <limel-button label={text.get('admin.close')} onClick={() => (this.removal = undefined)} />
      </div>
    );
  }

  private renderSync(): VNode | undefined {
    const text = this.texts;
    if (this.task) {
      const { task, away } = this;
      return (
        <TaskProgress texts={text} label={text.get('oauth.sync.running')} {...{ task, away }} />
      );
    }
    if (this.plan) {
      return this.renderPlan(this.plan);
    }
    if (!this.synced && !this.syncProblem) {
      return undefined;
    }
    return (
      <div class={`panel sync ${this.syncProblem ? 'failed' : 'done'}`} role="status">
        <p class="panel-title">
          {text.get(this.syncProblem ? 'oauth.sync.failed' : 'oauth.sync.done')}
        </p>
        {this.syncProblem && <p>{this.syncProblem}</p>}
        {this.synced &&
          (isEmptyPlan(this.synced) ? (
            <p>{text.get('oauth.sync.nothing_done')}</p>
          ) : (
            <SyncReport texts={text} plan={this.synced} />
          ))}
        <limel-button label={text.get('admin.close')} onClick={() => this.forgetSync()} />
      </div>
    );
  }

  private renderPlan(plan: SyncPlan): VNode {
    const text = this.texts;
    const empty = isEmptyPlan(plan);
    return (
      <div class="panel sync" role="status">
        <p class="panel-title">{text.get(empty ? 'oauth.sync.nothing' : 'oauth.sync.planned')}</p>
        {!empty && <SyncReport texts={text} plan={plan} />}
        {!empty && <p class="quiet">{text.get('oauth.sync.note')}</p>}
        <div class="actions">
          {!empty && (
            <limel-button
              primary={true}
              label={text.get('oauth.sync.start')}
              disabled={this.busy}
              onClick={() => void this.sync()}
            />
          )}
          <limel-button
            label={text.get(empty ? 'admin.close' : 'confirm.cancel')}
            onClick={() => this.forgetSync()}
          />
        </div>
      </div>
    );
  }

  private async load(): Promise<void> {
    this.error = undefined;
    try {
      this.page = await emailApi(this.platform).oauthApps.list({ limit: ALL });
    } catch (error) {
      this.error = error;
    }
  }

  private async stored(app: OAuthApp): Promise<void> {
    this.edited = undefined;
    notify(this.platform, this.texts.get('oauth.saved', { name: app.name }));
    this.change.emit(this.value);
    await this.load();
  }

  private async deleteApp(app: OAuthApp): Promise<void> {
    this.busy = true;
    try {
      const { oauthApps } = emailApi(this.platform);
      const planned = await oauthApps.remove(app.id, true);
      if (await this.agrees(planned)) {
        this.removal = await oauthApps.remove(app.id);
        this.change.emit(this.value);
        await this.load();
      }
    } catch (error) {
      notifyError(this.platform, this.texts.get('oauth.not_removed', { name: app.name }), error);
      await this.load();
    } finally {
      this.busy = false;
    }
  }

  private agrees({ name, accounts }: OAuthAppRemoval): Promise<boolean> {
    const text = this.texts;
    const named = accounts.slice(0, MOST_NAMED).map((each) => each.email || each.engine_account);
    const left = accounts.length - named.length;
    const more = left > 0 ? [text.count('admin.more', left)] : [];
    const going = accounts.length
      ? [text.count('oauth.remove_accounts', accounts.length), ...named, ...more]
      : [text.get('oauth.remove_alone')];
    return confirmAction(this.platform, {
      title: text.get('oauth.remove_title', { name }),
      message: [...going, text.get('oauth.remove_note')].join('\n'),
      action: text.get('admin.delete'),
    });
  }

  private async planSync(): Promise<void> {
    this.forgetSync();
    this.busy = true;
    try {
      this.plan = await emailApi(this.platform).tasks.planSync();
    } catch (error) {
      this.syncProblem = explain(error, this.texts);
    } finally {
      this.busy = false;
    }
  }

  private async sync(): Promise<void> {
    this.busy = true;
    try {
      const { id } = await emailApi(this.platform).tasks.sync();
      this.plan = undefined;
      await this.follow(id);
    } catch (error) {
      this.syncProblem = explain(error, this.texts);
    } finally {
      this.busy = false;
    }
  }

  private async follow(id: string): Promise<void> {
    const ended = await followTask(emailApi(this.platform).tasks, id, {
      signal: this.gone.signal,
      onAway: () => (this.away = true),
      onProgress: (task) => {
        this.away = false;
        this.task = task;
      },
    }).finally(() => (this.task = undefined));
    if (ended?.status === 'SUCCESS') {
      this.synced = ended.result as SyncPlan;
      this.change.emit(this.value);
      await this.load();
    } else if (ended) {
      this.syncProblem = ended.reason || this.texts.get('error.internal');
    }
  }

  /** Goes on showing a sync that somebody started before this page was opened. */
  private async resume(): Promise<void> {
    try {
      const isSync = (name: string): boolean => name.endsWith('.sync_emailengine_to_lime');
      const task = await openTask(emailApi(this.platform).tasks, isSync);
      if (task && !this.task) {
        this.task = task;
        await this.follow(task.id);
      }
    } catch {
      // It is shown for convenience only; the list tells what cannot be asked.
      this.task = undefined;
    }
  }

  private forgetSync(): void {
    this.plan = undefined;
    this.synced = undefined;
    this.syncProblem = '';
  }
}

const PROVIDERS: Record<string, string> = { gmail: 'Google', outlook: 'Microsoft' };
const SCOPES: Record<string, 'oauth.scopes.gmail' | 'oauth.scopes.graph'> = {
  gmail: 'oauth.scopes.gmail',
  outlook: 'oauth.scopes.graph',
};
