/** The list of accounts; on narrow pages without its head. */

import { FunctionalComponent, h } from '@stencil/core';

import { Locale } from '../../locale';
import { Account } from '../../services/email-api/accounts';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { RecoveryReport } from '../../services/email-api/tasks';
import { Texts } from '../../translate';
import { AccountRow } from './account-row';
import { StepAction } from './account-words';

interface TableProps {
  texts: Texts;
  locale: Locale;
  accounts: readonly Account[];
  apps: readonly OAuthApp[];
  reports: readonly RecoveryReport[];
  /** Ids of the accounts that are selected. */
  selected: readonly number[];
  locked: boolean;
  busy: boolean;
  onSelect: (selected: readonly number[]) => void;
  onStep: (step: StepAction, account: Account) => void;
  onEdit: (account: Account) => void;
}

export const AccountTable: FunctionalComponent<TableProps> = (props) => {
  const { texts, accounts, apps, reports, selected, locked, onSelect } = props;
  const selectAll = texts.get('accounts.select_all');
  const select = (id: number, isSelected: boolean): void => {
    const others = selected.filter((each) => each !== id);
    onSelect(isSelected ? [...others, id] : others);
  };
  return [
    !locked && (
      <label class="select-all">
        <AllBox {...props} label={selectAll} /> {selectAll}
      </label>
    ),
    <table role="table" class={{ locked }} aria-label={texts.get('accounts.title')}>
      <thead role="rowgroup">
        <tr role="row">
          {!locked && (
            <th role="columnheader" class="select">
              <AllBox {...props} label={selectAll} />
            </th>
          )}
          <th role="columnheader">{texts.get('accounts.account')}</th>
          <th role="columnheader">{texts.get('accounts.state')}</th>
          <th role="columnheader">{texts.get('accounts.activity')}</th>
          {!locked && (
            <th role="columnheader">
              <span class="hidden">{texts.get('admin.edit')}</span>
            </th>
          )}
        </tr>
      </thead>
      <tbody role="rowgroup">
        {accounts.map((each) => (
          <AccountRow
            key={String(each.id)}
            texts={texts}
            locale={props.locale}
            account={each}
            report={reports.find((report) => report.account === each.id)}
            app={apps.find((app) => app.engine_app === each.oauth_app)?.name}
            selected={selected.includes(each.id)}
            locked={locked}
            busy={props.busy}
            onSelect={(isSelected) => select(each.id, isSelected)}
            onStep={(step) => props.onStep(step, each)}
            onEdit={() => props.onEdit(each)}
          />
        ))}
      </tbody>
    </table>,
  ];
};

interface AllBoxProps extends Pick<TableProps, 'accounts' | 'selected' | 'onSelect'> {
  label: string;
}

const AllBox: FunctionalComponent<AllBoxProps> = ({ label, accounts, selected, onSelect }) => {
  const all = accounts.length > 0 && accounts.every((each) => selected.includes(each.id));
  return (
    <input
      type="checkbox"
      aria-label={label}
      checked={all}
      indeterminate={!all && selected.length > 0}
      onChange={() => onSelect(all ? [] : accounts.map((each) => each.id))}
    />
  );
};
