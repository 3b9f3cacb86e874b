/** What there is to choose from in the dialogs of accounts. */

import { EmailApi } from '../../services/email-api';
import { Person } from '../../services/email-api/accounts';
import { OAuthApp } from '../../services/email-api/oauth-apps';
import { Template } from '../../services/email-api/templates';
import { Choice } from '../../ui/fields';

const MANY = 1000;
const ALL_TEMPLATES = 200;

export interface AccountChoices {
  people: Person[];
  /** Limetypes that conversations can hang on; the first one is used where none is chosen. */
  parents: string[];
  timeZones: string[];
  templates: Template[];
}

/** Applications with which a mailbox can sign in now. */
export function usableApps(apps: readonly OAuthApp[]): OAuthApp[] {
  return apps.filter((each) => each.enabled && !each.missing);
}

export async function peopleAndParents(
  api: EmailApi,
): Promise<Pick<AccountChoices, 'people' | 'parents'>> {
  const [people, settings] = await Promise.all([
    api.accounts.users({ limit: MANY }),
    api.administration.settings(),
  ]);
  const parents = settings.items.find((each) => each.name === 'conversation_parents')?.value;
  return { people: people.items, parents: limetypes(parents) };
}

export async function accountChoices(api: EmailApi): Promise<AccountChoices> {
  const [found, timeZones, templates] = await Promise.all([
    peopleAndParents(api),
    api.administration.timeZones(),
    api.templates.list({ limit: ALL_TEMPLATES }),
  ]);
  return {
    ...found,
    timeZones: timeZones.items.map((each) => each.name),
    templates: templates.items,
  };
}

/** Options for the parent; `chosen` stays one even if it is not configured any more. */
export function parentOptions(parents: string[], chosen: string, standard: string): Choice[] {
  const known = chosen && !parents.includes(chosen) ? [...parents, chosen] : parents;
  return [{ value: '', text: standard }, ...known.map((each) => ({ value: each, text: each }))];
}

function limetypes(value: unknown): string[] {
  const list = Array.isArray(value) ? (value as ({ limetype?: unknown } | null)[]) : [];
  return list
    .map((each) => each?.limetype)
    .filter((each): each is string => typeof each === 'string' && each !== '');
}
