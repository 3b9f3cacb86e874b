import { expect, it, vi } from 'vitest';

import { drafts } from '../../services/email-api/drafts';
import { Client } from '../../services/email-api/client';
import { httpError, Request, testPlatform } from '../../testing';
import { DraftSaver } from './draft-saver';

const content = { subject: '', html: '<p>x</p>', recipients: [], followers: null, files: [] };

function saverOn(answer: (request: Request) => unknown) {
  const platform = testPlatform(answer);
  const states: string[] = [];
  const saver: DraftSaver = new DraftSaver({
    drafts: drafts(new Client(platform)),
    conversation: 3,
    content: () => content,
    newest: () => 9,
    changed: () => states.push(saver.state),
    pause: 5,
    retry: 20,
  });
  const versions = () =>
    platform.requests.map((each) => (each.data as { version: number }).version);
  return { saver, platform, states, versions };
}

const counting = () => {
  let version = 0;
  return () => ({ version: ++version, conversation: 3, newest_message: 9, content });
};
const pause = () => new Promise((resolve) => setTimeout(resolve, 30));

it('what is written quickly is stored once, and each time over the version before', async () => {
  const { saver, states, versions } = saverOn(counting());
  saver.touch();
  saver.touch();
  expect(saver.isUnsaved).toBe(true);
  await pause();
  expect(versions()).toEqual([0]);
  saver.touch();
  await saver.flush();
  expect(versions()).toEqual([0, 1]);
  expect(states).toEqual(['waiting', 'saving', 'saved', 'waiting', 'saving', 'saved']);
  expect(saver.isUnsaved).toBe(false);
});

it('what is written while it is being stored is stored afterwards', async () => {
  let release: (value: unknown) => void = () => undefined;
  const next = counting();
  let first = true;
  const { saver, versions } = saverOn(() => {
    if (first) {
      first = false;
      return new Promise((resolve) => (release = () => resolve(next())));
    }
    return next();
  });
  saver.touch();
  const stored = saver.flush();
  saver.touch();
  const again = saver.flush();
  release(undefined);
  await Promise.all([stored, again]);
  expect(versions()).toEqual([0, 1]);
  expect(saver.state).toBe('saved');
});

it('another window is noticed, and either text can be kept', async () => {
  const newer = { conversation: 3, version: 7, newest_message: 9, content, changed_at: null };
  let refuse = true;
  const { saver, versions } = saverOn(() => {
    if (refuse) {
      throw httpError(409, { code: 'conflict', message: 'Changed.', newer });
    }
    return { ...newer, version: 8 };
  });
  saver.touch();
  await saver.flush();
  expect(saver.state).toBe('conflict');
  saver.touch();
  await pause();
  expect(versions()).toEqual([0]);
  refuse = false;
  await saver.keepMine();
  expect(versions()).toEqual([0, 7]);
  expect([saver.state, saver.version]).toEqual(['saved', 8]);
  saver.takeOver(newer);
  expect([saver.state, saver.version]).toEqual(['saved', 7]);
});

it('a draft that was sent elsewhere can be written down again', async () => {
  const { saver } = saverOn(() => {
    throw httpError(409, { code: 'conflict', message: 'Gone.', newer: null });
  });
  saver.version = 4;
  saver.touch();
  await saver.flush();
  expect([saver.state, saver.newer]).toEqual(['conflict', undefined]);
});

it('what could not be stored is tried again', async () => {
  const next = counting();
  let away = true;
  const { saver } = saverOn(() => {
    if (away) {
      throw httpError(503, {});
    }
    return next();
  });
  saver.touch();
  await saver.flush();
  expect([saver.state, saver.isUnsaved, saver.error?.status]).toEqual(['failed', true, 503]);
  away = false;
  await saver.flush();
  expect(saver.state).toBe('saved');
});

it('nothing is stored after the end, or when nothing was written', async () => {
  const { saver, versions } = saverOn(counting());
  await saver.flush();
  saver.close();
  saver.touch();
  await pause();
  expect(versions()).toEqual([]);
});

it.each([0, 401, 503])('what cannot be stored for now (%d) is stored later', async (status) => {
  const next = counting();
  let away = true;
  const { saver, versions } = saverOn(() => {
    if (away) {
      away = false;
      throw httpError(status, {});
    }
    return next();
  });
  saver.touch();
  await saver.flush();
  expect(saver.state).toBe('failed');
  await vi.waitFor(() => expect(saver.state).toBe('saved'));
  expect(versions()).toEqual([0, 0]);
});
