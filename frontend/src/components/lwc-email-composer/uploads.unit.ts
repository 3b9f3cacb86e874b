import { expect, it } from 'vitest';

import { drafts } from '../../services/email-api/drafts';
import { Client } from '../../services/email-api/client';
import { EmailApi } from '../../services/email-api';
import { englishTexts, httpError, Request, testPlatform } from '../../testing';
import { Attached, attachFiles, filesOf, fromDraft, uploadsOf } from './attached';
import { Uploads } from './uploads';

const limits = { each: 100, together: 150, count: 3 };

function uploadsOn(answer: (request: Request) => unknown) {
  const platform = testPlatform(answer);
  const texts = englishTexts();
  const message = {
    attached: [] as Attached[],
    conversation: 3,
    elsewhere: undefined as unknown,
  };
  const api = { drafts: drafts(new Client(platform)) } as EmailApi;
  const uploads = new Uploads(message, { api, texts, changed: () => undefined });
  const attach = (...names: string[]) => {
    const files = names.map((name) => new File([name], name));
    message.attached = attachFiles(message.attached, files, limits, texts);
    uploads.start();
  };
  const asked = (method: string) => platform.requests.filter((each) => each.method === method);
  return { uploads, message, attach, asked };
}

const stored = () => {
  let id = 0;
  return () => ({ id: ++id, filename: 'x', content_type: '', size: 1 });
};
const moment = () => new Promise((resolve) => setTimeout(resolve, 5));

it('a file goes up when it is attached, and a message refers to it', async () => {
  const { uploads, message, attach, asked } = uploadsOn(stored());
  attach('a.txt', 'b.txt');
  expect(message.attached.map((each) => each.progress)).toEqual([0, 0]);
  await uploads.settle();
  expect([uploadsOf(message.attached), filesOf(message.attached)]).toEqual([[1, 2], []]);
  expect(message.attached.map((each) => each.progress)).toEqual([undefined, undefined]);
  const data = asked('post')[0]?.data as FormData;
  expect(data.get('message')).toBe('{"conversation":3}');
  uploads.start();
  expect(asked('post')).toHaveLength(2);
});

it('what cannot be reached can be tried again under the same key, and is sent along else', async () => {
  let away = true;
  const answer = stored();
  const { uploads, message, attach, asked } = uploadsOn(() => {
    if (away) {
      throw httpError(503, { code: 'database_unavailable', message: 'Away.' });
    }
    return answer();
  });
  attach('a.txt');
  await uploads.settle();
  expect(message.attached[0]?.failed).toContain('The server is not ready');
  expect(filesOf(message.attached)).toHaveLength(1);
  away = false;
  uploads.retryAll();
  await uploads.settle();
  expect([message.attached[0]?.failed, uploadsOf(message.attached)]).toEqual([undefined, [1]]);
  const keys = asked('post').map((each) => each.options?.headers?.['Idempotency-Key']);
  expect([keys.length, new Set(keys).size]).toEqual([2, 1]);
});

it('what the server refuses stays in sight with the reason and does not go along', async () => {
  const { uploads, message, attach } = uploadsOn(() => {
    const errors = { files: ['Your drafts are full.'] };
    throw httpError(422, { code: 'invalid_input', message: 'No.', errors });
  });
  attach('a.txt');
  await uploads.settle();
  expect(message.attached[0]?.error).toBe('Your drafts are full.');
  expect(filesOf(message.attached)).toEqual([]);
});

it('what is taken away leaves the server, also when it has not arrived yet', async () => {
  const { uploads, message, attach, asked } = uploadsOn(stored());
  attach('a.txt', 'b.txt');
  message.attached = message.attached.slice(1);
  await uploads.settle();
  expect(asked('delete').map((each) => each.url)).toEqual(['limepkg-email/draft/file/1/']);
  message.attached.forEach((each) => uploads.forget(each));
  await moment();
  expect(asked('delete')).toHaveLength(2);
});

it('nothing goes up while another draft stands in the place of this one', async () => {
  const { uploads, message, attach, asked } = uploadsOn(stored());
  message.elsewhere = {};
  attach('a.txt');
  expect(asked('post')).toEqual([]);
  message.elsewhere = undefined;
  uploads.start();
  await uploads.settle();
  expect(uploadsOf(message.attached)).toEqual([1]);
});

it('files that the server lost go up again, and those of another time are said', async () => {
  const answer = stored();
  const { uploads, message, attach, asked } = uploadsOn((request) =>
    request.method === 'get' ? { version: 1, uploads: [{ id: 7 }] } : answer(),
  );
  const there = fromDraft({ id: 7, filename: 'kept.txt', content_type: '', size: 1 });
  const lost = fromDraft({ id: 8, filename: 'lost.txt', content_type: '', size: 1 });
  message.attached = [there, lost];
  attach('a.txt');
  await uploads.settle();
  await uploads.again();
  await uploads.settle();
  expect(asked('post')).toHaveLength(2);
  expect(uploadsOf(message.attached)).toEqual([7, 2]);
  expect(message.attached[1]?.error).toContain('lost.txt is not there any more');
});
