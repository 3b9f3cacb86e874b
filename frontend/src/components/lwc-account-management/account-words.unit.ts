import { describe, expect, it } from 'vitest';

import { Account } from '../../services/email-api/accounts';
import { RecoveryReport } from '../../services/email-api/tasks';
import { englishTexts } from '../../testing';
import { FILTER_STATES, previewSentence, reportText, stateText, wordsFor } from './account-words';

const texts = englishTexts();

const account = (given: Partial<Account>): Account =>
  ({
    enabled: true,
    state: 'connected',
    cause: '',
    next_step: 'none',
    advice: '',
    ...given,
  }) as Account;

describe('how an account fares', () => {
  it.each([
    ['sign_in_again', 'authenticationError', 'sign_in', 'Sign in again'],
    ['check_server', 'connectError', 'sign_in', 'Sign in again'],
    ['reconnect', 'missing', 'sign_in', 'Connect again'],
    ['check_app', 'connected', 'choose', 'Choose application'],
  ])('%s has a button', (next_step, state, action, label) => {
    const found = wordsFor(account({ next_step, state }), texts);
    expect(found.step).toEqual({ action, label });
    expect(found.advice).not.toBe('');
  });

  it('only a disabled one is offered to be enabled', () => {
    const step = { action: 'enable', label: 'Enable' };
    const off = account({ next_step: 'enable', enabled: false });
    expect(wordsFor(off, texts).step).toEqual(step);
    expect(wordsFor({ ...off, enabled: true }, texts).step).toBeUndefined();
  });

  it('an account that works needs nothing', () => {
    const found = wordsFor(account({}), texts);
    expect(found).toEqual({ state: 'Connected', tone: 'good', cause: '', advice: '' });
  });

  it('what is waited for is said', () => {
    const found = wordsFor(account({ state: 'init', next_step: 'wait', advice: 'Wait.' }), texts);
    expect([found.tone, found.advice, found.step]).toEqual(['wait', 'Wait.', undefined]);
  });

  it('a disabled account is disabled, whatever the engine says', () => {
    const off = account({ enabled: false, next_step: 'enable', cause: 'The account is disabled.' });
    expect(wordsFor(off, texts)).toMatchObject({ state: 'Disabled', tone: 'quiet', cause: '' });
    const gone = wordsFor({ ...off, state: 'missing' }, texts);
    expect([gone.state, gone.tone]).toEqual(['Missing · Disabled', 'bad']);
  });

  it('a disabled account that cannot sign in has to sign in first', () => {
    const off = account({ enabled: false, next_step: 'enable', state: 'authenticationError' });
    const found = wordsFor(off, texts);
    expect(found).toMatchObject({ state: 'Sign-in refused · Disabled', tone: 'bad' });
    expect(found.step?.action).toBe('sign_in');
  });

  it('a state that is not known is shown as it is', () => {
    expect(stateText('napping', texts)).toBe('napping');
    expect(wordsFor(account({ state: 'napping' }), texts).tone).toBe('wait');
  });

  it('every state to choose from has a text', () => {
    FILTER_STATES.forEach((each) => expect(stateText(each, texts)).not.toBe(each));
  });
});

it('a report says what was listed, imported and left over', () => {
  const report = { listed: 120, imported: 1, recovered: 1, unaccounted: 0, failed: 0 };
  expect(reportText(report as RecoveryReport, texts)).toBe('listed 120, imported 2, unaccounted 0');
  expect(reportText({ ...report, failed: 3, in_grace: 1 } as RecoveryReport, texts)).toBe(
    'listed 120, imported 2, unaccounted 0, 3 failed, 1 just arriving',
  );
});

it.each([
  [0, true, 'There is no unread mail from before'],
  [1, true, '1 unread mail from before'],
  [300, false, 'At most 300 unread mails'],
])('%s unread mails from before are told', (unread, exact, said) => {
  const preview = { unread, exact, import_unread: false, activated_at: '2026-03-10T12:00:00Z' };
  expect(previewSentence(preview, texts, { language: 'en', timeZone: 'UTC' })).toContain(said);
});
