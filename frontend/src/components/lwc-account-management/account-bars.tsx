/** What stands around the list of accounts: search, actions, pages, and a word when it is empty. */

import { FunctionalComponent, h } from '@stencil/core';

import { Account } from '../../services/email-api/accounts';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { Texts } from '../../translate';
import { SelectField, TextField } from '../../ui/fields';
import { usableApps } from './account-choices';
import { BulkAction } from './account-panels';
import { DISABLED, FILTER_STATES, stateText } from './account-words';
import { affected } from './bulk-question';

interface FiltersProps {
  texts: Texts;
  query: string;
  state: string;
  onQuery: (query: string) => void;
  onState: (state: string) => void;
}

export const Filters: FunctionalComponent<FiltersProps> = (props) => {
  const { texts } = props;
  return (
    <div class="filters" role="search">
      <TextField
        name="query"
        type="search"
        label={texts.get('accounts.search')}
        value={props.query}
        onValue={props.onQuery}
      />
      <SelectField
        name="state"
        label={texts.get('accounts.state')}
        value={props.state}
        options={[
          { value: '', text: texts.get('accounts.state.all') },
          ...FILTER_STATES.map((each) => ({ value: each, text: stateText(each, texts) })),
          { value: DISABLED, text: texts.get('accounts.state.disabled') },
        ]}
        onValue={props.onState}
      />
    </div>
  );
};

interface SelectionProps {
  texts: Texts;
  accounts: readonly Account[];
  busy: boolean;
  syncing: boolean;
  onSync: () => void;
  onAction: (action: BulkAction) => void;
}

/** What can be done with the accounts that are selected. */
export const Selection: FunctionalComponent<SelectionProps> = (props) => {
  const { texts, accounts, busy, onAction } = props;
  const all: { name: BulkAction; label: string; icon: string }[] = [
    { name: 'enable', label: texts.get('accounts.enable'), icon: 'play' },
    { name: 'disable', label: texts.get('accounts.disable'), icon: 'pause' },
    { name: 'delete', label: texts.get('admin.delete'), icon: 'trash' },
  ];
  const actions = all.filter(({ name }) => affected(name, accounts).length > 0);
  return (
    <div class="selection" role="group" aria-label={texts.get('accounts.selection')}>
      <strong role="status">{texts.count('accounts.selected', accounts.length)}</strong>
      <div class="actions">
        <limel-button
          outlined={true}
          icon="synchronize"
          label={texts.get('accounts.sync')}
          disabled={busy || props.syncing}
          onClick={props.onSync}
        />
        {actions.map(({ name, label, icon }) => (
          <limel-button
            key={name}
            label={label}
            icon={icon}
            disabled={busy}
            onClick={() => onAction(name)}
          />
        ))}
      </div>
    </div>
  );
};

interface NoAccountsProps {
  texts: Texts;
  apps: readonly OAuthApp[];
  /** Missing where nothing can be changed. */
  onAdd?: () => void;
}

/** How to begin. */
export const NoAccounts: FunctionalComponent<NoAccountsProps> = ({ texts, apps, onAdd }) => (
  <div class="panel empty">
    <h3>{texts.get('accounts.empty')}</h3>
    <p>{texts.get('accounts.empty_imap')}</p>
    <p>{texts.get(usableApps(apps).length ? 'accounts.empty_apps' : 'accounts.empty_no_apps')}</p>
    {onAdd && <limel-button primary={true} label={texts.get('accounts.add')} onClick={onAdd} />}
  </div>
);

interface PagesProps {
  texts: Texts;
  /** How many come before the first one that is shown. */
  from: number;
  shown: number;
  total: number;
  size: number;
  onShow: (offset: number) => void;
}

export const Pages: FunctionalComponent<PagesProps> = (props) => {
  const { texts, from, total, size, onShow } = props;
  const to = from + props.shown;
  return total > size ? (
    <nav class="pages" aria-label={texts.get('admin.pages')}>
      <span role="status">{texts.get('admin.page', { from: from + 1, to, total })}</span>
      <limel-button
        label={texts.get('admin.previous')}
        disabled={from === 0}
        onClick={() => onShow(from - size)}
      />
      <limel-button
        label={texts.get('admin.next')}
        disabled={to >= total}
        onClick={() => onShow(from + size)}
      />
    </nav>
  ) : null;
};
