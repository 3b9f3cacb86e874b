import { expect, it } from 'vitest';

import { EmailError } from '../services/email-error';
import { englishTexts, testPlatform } from '../testing';
import { confirmAction } from './confirm';
import { explain, fieldError, otherErrors } from './explain';
import { notify, notifyError } from './notify';

const texts = englishTexts();

it('what the server says is shown as it is', () => {
  const error = new EmailError({ code: 'conflict', message: 'The address is taken.' }, 409);
  expect(explain(error, texts)).toBe('The address is taken.');
});

it('what happens everywhere is said in the language of the user', () => {
  expect(explain(new EmailError({}, 0), texts)).toContain('cannot be reached');
});

it('when to try again and what to look for in the log are said', () => {
  const body = { code: 'engine_busy', message: 'The engine is busy.', request_id: 'r1' };
  const said = explain(new EmailError(body, 503, 30), texts);
  expect(said).toBe('The engine is busy. Try again in 30 seconds. In the log it is request r1.');
});

it('mistakes of our own show no technical words', () => {
  expect(explain(new TypeError('x is undefined'), texts)).toBe('Something went wrong.');
});

it('each field has its sentences, and those of fields that are not shown are not lost', () => {
  const error = new EmailError({ errors: { host: ['Missing.', 'Wrong.'], port: ['Odd.'] } }, 422);
  expect(fieldError(error, 'host')).toBe('Missing. Wrong.');
  expect(fieldError(error, 'name')).toBe('');
  expect(otherErrors(error, ['host'])).toEqual(['port: Odd.']);
  expect(fieldError(new Error(), 'host')).toBe('');
  expect(otherErrors(undefined, [])).toEqual([]);
});

it('questions name what happens and can be cancelled', async () => {
  const platform = testPlatform(undefined, { agree: false });
  const question = { title: 'Delete?', message: 'Its mail stays.', action: 'Delete' };
  expect(await confirmAction(platform, question)).toBe(false);
  expect(platform.told).toEqual([
    { kind: 'confirm', texts: ['Delete?', 'Its mail stays.', 'Delete', 'Cancel'] },
  ]);
});

it('what happened is told through the host', () => {
  const platform = testPlatform();
  notify(platform, 'Saved');
  notifyError(platform, 'Not saved', new EmailError({ code: 'conflict', message: 'Taken.' }, 409));
  expect(platform.told).toEqual([
    { kind: 'notify', texts: ['Saved'] },
    { kind: 'alert', texts: ['Not saved', 'Taken.'] },
  ]);
});
