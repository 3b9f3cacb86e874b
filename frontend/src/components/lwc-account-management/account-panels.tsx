import { FunctionalComponent, h } from '@stencil/core';

import { Locale } from '../../locale';
import { Account, ActivationPreview } from '../../services/email-api/accounts';
import { RecoveryReport } from '../../services/email-api/tasks';
import { TextKey, Texts } from '../../translate';
import { isFailing, previewSentence, reportText, wordsFor } from './account-words';

export type BulkAction = 'enable' | 'disable' | 'delete';

/** What became of each account of several. */
export interface Outcomes {
  action: BulkAction;
  items: { email: string; outcome: string; reason: string }[];
}

/** What a recovery found, account by account. */
export interface Recovered {
  items: { email: string; report: RecoveryReport }[];
  /** Why the recovery itself failed; empty if it did not. */
  problem: string;
}

/** An account that was just connected, and the unread mail that it had before. */
export interface Arrival {
  account: Account;
  preview?: ActivationPreview;
  /** What is done about unread mail is still to be chosen. */
  asking: boolean;
}

const OUTCOME: Record<string, TextKey> = {
  deleted: 'admin.outcome.deleted',
  unchanged: 'admin.outcome.unchanged',
  failed: 'admin.outcome.failed',
};

interface OutcomesProps {
  texts: Texts;
  outcomes: Outcomes;
  onClose: () => void;
}

export const OutcomesPanel: FunctionalComponent<OutcomesProps> = ({ texts, outcomes, onClose }) => {
  const failed = outcomes.items.filter((each) => each.outcome === 'failed');
  const changed = outcomes.items.length - failed.length;
  return (
    <div class={`panel outcomes ${failed.length ? 'failed' : 'done'}`} role="status">
      <p class="panel-title">{doneText(outcomes.action, changed, texts)}</p>
      <ul>
        {outcomes.items.map((each) => (
          <li>
            {each.email}: {outcomeText(outcomes.action, each.outcome, texts)}
            {each.reason && ` – ${each.reason}`}
          </li>
        ))}
      </ul>
      <limel-button label={texts.get('admin.close')} onClick={onClose} />
    </div>
  );
};

function doneText(action: BulkAction, count: number, texts: Texts): string {
  switch (action) {
    case 'enable':
      return texts.count('accounts.enabled', count);
    case 'disable':
      return texts.count('accounts.disabled', count);
    case 'delete':
      return texts.count('accounts.deleted', count);
  }
}

function outcomeText(action: BulkAction, outcome: string, texts: Texts): string {
  if (outcome === 'changed') {
    return texts.get(action === 'enable' ? 'admin.outcome.enabled' : 'admin.outcome.disabled');
  }
  return texts.get(OUTCOME[outcome] ?? 'admin.outcome.failed');
}

interface RecoveredProps {
  texts: Texts;
  recovered: Recovered;
  onClose: () => void;
}

export const RecoveredPanel: FunctionalComponent<RecoveredProps> = ({
  texts,
  recovered,
  onClose,
}) => {
  const { items, problem } = recovered;
  const synced = items.filter((each) => !each.report.error).length;
  const failed = problem || items.some((each) => each.report.error || each.report.unaccounted);
  return (
    <div class={`panel recovered ${failed ? 'failed' : 'done'}`} role="status">
      <p class="panel-title">
        {problem ? texts.get('accounts.sync_failed') : texts.count('accounts.synced', synced)}
      </p>
      {problem && <p>{problem}</p>}
      <ul>
        {items.map(({ email, report }) => (
          <li>
            {email}: {reportText(report, texts)}
            {report.error && <span class="bad"> – {report.error}</span>}
          </li>
        ))}
      </ul>
      <limel-button label={texts.get('admin.close')} onClick={onClose} />
    </div>
  );
};

interface ArrivalProps {
  texts: Texts;
  locale: Locale;
  arrival: Arrival;
  busy: boolean;
  onActivate: (account: Account, withOld: boolean) => void;
  onClose: () => void;
}

export const ArrivalPanel: FunctionalComponent<ArrivalProps> = (props) => {
  const { texts, arrival, onActivate } = props;
  const { account, preview, asking } = arrival;
  const words = wordsFor(account, texts);
  const failing = Boolean(words.cause) || isFailing(account);
  const choosing = asking && !failing;
  const title = failing
    ? 'accounts.arrived_failing'
    : choosing
      ? 'accounts.arrived_waiting'
      : 'accounts.arrived';
  return (
    <div class={`panel arrival ${failing ? 'failed' : 'done'}`} role="status">
      <p class="panel-title">{texts.get(title, { email: account.email })}</p>
      {words.cause && <p>{words.cause}</p>}
      {words.advice && !choosing && <p>{words.advice}</p>}
      {preview && <p>{previewSentence(preview, texts, props.locale)}</p>}
      <div class="actions">
        {choosing && preview && (
          <limel-button
            primary={true}
            label={texts.count('accounts.import_old', preview.unread)}
            disabled={props.busy}
            onClick={() => onActivate(account, true)}
          />
        )}
        {choosing ? (
          <limel-button
            label={texts.get('accounts.leave_old')}
            disabled={props.busy}
            onClick={() => onActivate(account, false)}
          />
        ) : (
          <limel-button label={texts.get('admin.close')} onClick={props.onClose} />
        )}
      </div>
    </div>
  );
};

/** Give the address of an account by its id. */
export function emailOf(id: number | null, accounts: readonly Account[]): string {
  return accounts.find((each) => each.id === id)?.email ?? `#${id ?? '?'}`;
}
