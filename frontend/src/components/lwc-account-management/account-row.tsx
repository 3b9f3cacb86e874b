import { FunctionalComponent, h, VNode } from '@stencil/core';

import { Locale } from '../../locale';
import { Account } from '../../services/email-api/accounts';
import { RecoveryReport } from '../../services/email-api/tasks';
import { TextKey, Texts } from '../../translate';
import { exactDate, relativeDate } from '../../ui/dates';
import { nameControl } from '../../ui/name-control';
import { StepAction, wordsFor } from './account-words';

interface Props {
  key: string;
  texts: Texts;
  locale: Locale;
  account: Account;
  /** The newest report of a recovery, if it is known. */
  report?: RecoveryReport;
  /** The name of the OAuth2 application with which it signs in. */
  app?: string;
  selected: boolean;
  /** Nothing can be changed. */
  locked: boolean;
  busy: boolean;
  onSelect: (selected: boolean) => void;
  onStep: (step: StepAction) => void;
  onEdit: () => void;
}

/** An account in the table; on narrow pages a card. */
export const AccountRow: FunctionalComponent<Props> = (props) => {
  const { texts, account, locked } = props;
  return (
    <tr key={props.key} role="row" class={{ selected: props.selected }}>
      {!locked && (
        <td role="cell" class="select">
          <input
            type="checkbox"
            checked={props.selected}
            aria-label={texts.get('accounts.select', { email: account.email })}
            onChange={(event) => props.onSelect((event.target as HTMLInputElement).checked)}
          />
        </td>
      )}
      <td role="cell" class="who">
        <strong>{account.name || account.email}</strong>
        {account.name && account.name !== account.email && <p>{account.email}</p>}
        {account.aliases.length > 0 && <p class="quiet">{account.aliases.join(', ')}</p>}
        <p class="quiet">{kindText(props)}</p>
        <p class="quiet">
          {account.users.length
            ? texts.count('accounts.user_count', account.users.length)
            : texts.get('accounts.no_users')}
        </p>
      </td>
      <td role="cell" class="state">
        <StateOf {...props} />
      </td>
      <td role="cell" class="times">
        <dl>
          {timeOf(props, 'accounts.last_seen', account.last_seen)}
          {timeOf(props, 'accounts.last_imported', account.last_imported)}
          {timeOf(props, 'accounts.last_sent', account.last_sent)}
          {timeOf(props, 'accounts.last_recovery', account.last_recovery, unaccounted(props))}
        </dl>
        {account.recovery_error && <p class="bad">{account.recovery_error}</p>}
      </td>
      {!locked && (
        <td role="cell" class="edit">
          <limel-button
            label={texts.get('admin.edit')}
            ref={nameControl(`${texts.get('admin.edit')}: ${account.email}`)}
            disabled={props.busy}
            onClick={props.onEdit}
          />
        </td>
      )}
    </tr>
  );
};

const StateOf: FunctionalComponent<Props> = ({ texts, account, locked, busy, onStep }) => {
  const words = wordsFor(account, texts);
  return [
    <span class={`chip ${words.tone}`}>{words.state}</span>,
    words.cause && <p>{words.cause}</p>,
    words.advice && <p class="quiet">{words.advice}</p>,
    words.step && !locked && (
      <limel-button
        class="step"
        outlined={true}
        label={words.step.label}
        ref={nameControl(`${words.step.label}: ${account.email}`)}
        disabled={busy}
        onClick={() => words.step && onStep(words.step.action)}
      />
    ),
  ];
};

function kindText({ account, app, texts }: Props): string {
  if (app) {
    return app;
  }
  return account.type === 'imap' || !account.type ? texts.get('accounts.kind.imap') : account.type;
}

function timeOf(
  { texts, locale }: Props,
  label: TextKey,
  instant: string | null,
  more?: VNode,
): VNode[] {
  return [
    <dt>{texts.get(label)}</dt>,
    <dd>
      {instant ? (
        <time dateTime={instant} title={exactDate(instant, locale)}>
          {relativeDate(instant, locale)}
        </time>
      ) : (
        texts.get('admin.never')
      )}
      {more}
    </dd>,
  ];
}

function unaccounted({ report, texts }: Props): VNode | undefined {
  if (!report) {
    return undefined;
  }
  const count = report.unaccounted;
  return <span class={count ? 'bad' : ''}> · {texts.get('accounts.unaccounted', { count })}</span>;
}
