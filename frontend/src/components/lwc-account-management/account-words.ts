/** How an account fares, in the user's language. */

import { Locale } from '../../locale';
import { Account, ActivationPreview } from '../../services/email-api/accounts';
import { RecoveryReport } from '../../services/email-api/tasks';
import { TextKey, Texts } from '../../translate';
import { exactDate } from '../../ui/dates';

/** `good` and `bad` are colours; the text says the same. */
export type Tone = 'good' | 'bad' | 'wait' | 'quiet';

const STATES: Record<string, { text: TextKey; tone: Tone }> = {
  connected: { text: 'accounts.state.connected', tone: 'good' },
  syncing: { text: 'accounts.state.syncing', tone: 'good' },
  init: { text: 'accounts.state.connecting', tone: 'wait' },
  connecting: { text: 'accounts.state.connecting', tone: 'wait' },
  authenticationError: { text: 'accounts.state.refused', tone: 'bad' },
  connectError: { text: 'accounts.state.unreachable', tone: 'bad' },
  disconnected: { text: 'accounts.state.disconnected', tone: 'bad' },
  unset: { text: 'accounts.state.disconnected', tone: 'bad' },
  missing: { text: 'accounts.state.missing', tone: 'bad' },
};

/** The states that a list can be narrowed down to, each under the server's word. */
export const FILTER_STATES: readonly string[] = [
  'connected',
  'syncing',
  'connecting',
  'authenticationError',
  'connectError',
  'disconnected',
  'missing',
];

/** What one asks the server for instead of a state, to get the accounts that are disabled. */
export const DISABLED = 'disabled';

export type StepAction = 'sign_in' | 'choose' | 'enable';

/** What the button beside an account does for each next step; `none` and `wait` have none. */
const STEPS: Record<string, { action: StepAction; text: TextKey; advice: TextKey }> = {
  sign_in_again: {
    action: 'sign_in',
    text: 'accounts.step.sign_in',
    advice: 'accounts.advice.sign_in',
  },
  check_server: {
    action: 'sign_in',
    text: 'accounts.step.sign_in',
    advice: 'accounts.advice.check_server',
  },
  reconnect: {
    action: 'sign_in',
    text: 'accounts.step.reconnect',
    advice: 'accounts.advice.reconnect',
  },
  check_app: {
    action: 'choose',
    text: 'accounts.step.choose_app',
    advice: 'accounts.advice.choose_app',
  },
  enable: { action: 'enable', text: 'accounts.step.enable', advice: 'accounts.advice.enable' },
};

/** Say a state of the engine; one that nobody knows here is shown as it is. */
export function stateText(state: string, texts: Texts): string {
  const known = STATES[state];
  return known ? texts.get(known.text) : state;
}

export interface Words {
  state: string;
  tone: Tone;
  /** Why mail does not come, as the server says it; empty when it does. */
  cause: string;
  advice: string;
  step?: { action: StepAction; label: string };
}

/** Whether the mailbox itself cannot be used, be the account enabled or not. */
export function isFailing(account: Account): boolean {
  return account.state === 'authenticationError' || account.state === 'connectError';
}

export function wordsFor(account: Account, texts: Texts): Words {
  const isOff = !account.enabled && account.state !== 'missing';
  if (isOff) {
    return isFailing(account) ? wordsForOffAndFailing(account, texts) : wordsForOff(texts);
  }
  // What is enabled is not offered to be, whatever the server says next.
  const step =
    account.enabled && account.next_step === 'enable' ? undefined : STEPS[account.next_step];
  const state = stateText(account.state, texts);
  return {
    state: account.enabled ? state : `${state} · ${texts.get('accounts.state.disabled')}`,
    tone: STATES[account.state]?.tone ?? 'wait',
    cause: account.cause,
    advice: step ? texts.get(step.advice) : account.next_step === 'wait' ? account.advice : '',
    step: step && { action: step.action, label: texts.get(step.text) },
  };
}

function wordsForOff(texts: Texts): Words {
  return {
    state: texts.get('accounts.state.disabled'),
    tone: 'quiet',
    cause: '',
    advice: texts.get('accounts.advice.enable'),
    step: { action: 'enable', label: texts.get('accounts.step.enable') },
  };
}

/** Enabling it would not help: signing in comes first. */
function wordsForOffAndFailing({ state }: Account, texts: Texts): Words {
  return {
    state: `${stateText(state, texts)} · ${texts.get('accounts.state.disabled')}`,
    tone: 'bad',
    cause: '',
    advice: texts.get('accounts.advice.sign_in'),
    step: { action: 'sign_in', label: texts.get('accounts.step.sign_in') },
  };
}

/** Say what a recovery found in one account. */
export function reportText(report: RecoveryReport, texts: Texts): string {
  const { listed, unaccounted, failed } = report;
  const imported = report.imported + report.recovered;
  const said = [texts.get('accounts.report', { listed, imported, unaccounted })];
  if (failed) {
    said.push(texts.count('accounts.report_failed', failed));
  }
  if (report.in_grace) {
    said.push(texts.count('accounts.report_new', report.in_grace));
  }
  return said.join(', ');
}

/** Say how much unread mail from before an account was connected there is. */
export function previewSentence(preview: ActivationPreview, texts: Texts, locale: Locale): string {
  const { unread: count, exact } = preview;
  const date = exactDate(preview.activated_at, locale);
  if (count === 0) {
    return texts.get('accounts.preview_none', { date });
  }
  return exact
    ? texts.count('accounts.preview', count, { date })
    : texts.get('accounts.preview_at_most', { count, date });
}
