import { FunctionalComponent, h, VNode } from '@stencil/core';

import { Difference, Differences, SyncPlan } from '../../services/email-api/tasks';
import { CountKey, Texts } from '../../translate';

const MOST_NAMES = 20;

interface Props {
  texts: Texts;
  plan: SyncPlan;
}

/** Tell whether there is anything in a plan. */
export function isEmptyPlan({ apps, accounts }: SyncPlan): boolean {
  return [apps, accounts].every(
    (each) => !each.added.length && !each.updated.length && !each.missing.length,
  );
}

/** What a sync would do, or did, by name. */
export const SyncReport: FunctionalComponent<Props> = ({ texts, plan }) => {
  const line = (stem: CountKey, found: Difference[]): VNode | undefined =>
    found.length ? (
      <li>
        {texts.count(stem, found.length)}: {names(found, texts)}
      </li>
    ) : undefined;
  const lines = (
    kind: 'apps' | 'accounts',
    { added, updated, missing }: Differences,
  ): (VNode | undefined)[] => {
    const apps = kind === 'apps';
    return [
      line(apps ? 'oauth.sync.apps_added' : 'oauth.sync.accounts_added', added),
      line(apps ? 'oauth.sync.apps_updated' : 'oauth.sync.accounts_updated', updated),
      line(apps ? 'oauth.sync.apps_missing' : 'oauth.sync.accounts_missing', missing),
    ];
  };
  return (
    <ul class="sync-report">
      {lines('apps', plan.apps)}
      {lines('accounts', plan.accounts)}
    </ul>
  );
};

function names(found: Difference[], texts: Texts): string {
  const shown = found.slice(0, MOST_NAMES).map((each) => each.name || each.engine_id);
  const left = found.length - shown.length;
  return shown.join(', ') + (left > 0 ? ` ${texts.count('admin.more', left)}` : '');
}
