import { describe, expect, it } from 'vitest';

import { httpError, testPlatform } from '../testing';
import { emailApi } from './email-api';
import { newIdempotencyKey } from './email-api/client';
import { EmailError } from './email-error';

async function caught(thrown: unknown): Promise<EmailError> {
  const platform = testPlatform(() => {
    throw thrown;
  });
  const error: unknown = await emailApi(platform)
    .drafts.read(3)
    .catch((each: unknown) => each);
  expect(error).toBeInstanceOf(EmailError);
  return error as EmailError;
}

describe('requests', () => {
  it('go to the endpoint below the application, with the query as text', async () => {
    const platform = testPlatform();
    await emailApi(platform).feed.read('helpdesk', 7, { limit: 20, offset: undefined });
    expect(platform.requests).toEqual([
      {
        method: 'get',
        url: 'limepkg-email/feed/',
        options: { params: { limetype: 'helpdesk', id: '7', limit: '20' } },
      },
    ]);
  });

  it('carry lists of ids separated by commas', async () => {
    const platform = testPlatform(() => ({ unread: [] }));
    await emailApi(platform).reading.unread('helpdesk', [1, 2, 3]);
    expect(platform.requests[0]?.options?.params).toEqual({ limetype: 'helpdesk', ids: '1,2,3' });
  });

  it('carry the idempotency key in their header', async () => {
    const platform = testPlatform();
    await emailApi(platform).messages.reply(4, { conversation: 1 }, { idempotencyKey: 'k' });
    expect(platform.requests[0]).toEqual({
      method: 'post',
      url: 'limepkg-email/message/4/',
      data: { conversation: 1 },
      options: { headers: { 'Idempotency-Key': 'k' } },
    });
  });

  it('become forms when files go along', async () => {
    const platform = testPlatform();
    const files = [new File(['x'], 'å.txt')];
    await emailApi(platform).messages.begin({ account: 4, subject: 'Hi' }, { files });
    const form = platform.requests[0]?.data as FormData;
    expect(JSON.parse(form.get('message') as string)).toEqual({ account: 4, subject: 'Hi' });
    expect((form.get('files') as File).name).toBe('å.txt');
  });

  it('delete drafts by query, with a JSON body', async () => {
    const platform = testPlatform();
    await emailApi(platform).drafts.discard(0);
    expect(platform.requests[0]).toEqual({
      method: 'delete',
      url: 'limepkg-email/draft/',
      data: {},
      options: { params: { conversation: '0' } },
    });
  });
});

describe('errors', () => {
  const body = {
    code: 'invalid_input',
    message: 'Some values cannot be used.',
    errors: { 'recipients.0.email': ['Not an address.'] },
    request_id: 'abc',
  };

  it('carry everything that the answer says', async () => {
    const error = await caught(httpError(422, body));
    expect(error).toMatchObject({ code: 'invalid_input', status: 422, requestId: 'abc' });
    expect(error.message).toBe('Some values cannot be used.');
    expect(error.errors).toEqual({ 'recipients.0.email': ['Not an address.'] });
    expect(error.isTemporary).toBe(false);
  });

  it.each([
    ['the body as text', httpError(422, JSON.stringify(body))],
    ['an answer to be read', { status: 422, response: new Response(JSON.stringify(body)) }],
    ['the answer itself', new Response(JSON.stringify(body), { status: 422 })],
    ['the body as data', { status: 422, data: body }],
  ])('are understood when the host throws %s', async (_, thrown) => {
    expect(await caught(thrown)).toMatchObject({ code: 'invalid_input', status: 422 });
  });

  it('keep what else a conflict says', async () => {
    const error = await caught(httpError(409, { ...body, code: 'conflict', arrived: [{ id: 9 }] }));
    expect(error.details.arrived).toEqual([{ id: 9 }]);
  });

  it('say after how many seconds to try again', async () => {
    const error = await caught(httpError(503, { code: 'engine_busy' }, { 'Retry-After': '30' }));
    expect(error.retryAfter).toBe(30);
    expect(error.isTemporary).toBe(true);
  });

  it('do without an answer', async () => {
    expect(await caught(new TypeError('Failed to fetch'))).toMatchObject({
      code: 'unreachable',
      status: 0,
      isTemporary: true,
    });
  });

  it('do not show the page of a proxy', async () => {
    const error = await caught(httpError(502, '<html>Bad gateway</html>'));
    expect(error).toMatchObject({ code: 'unknown_error', message: 'HTTP 502', errors: {} });
  });

  it('are thrown as well when the host has no HTTP at all', async () => {
    const platform = { has: () => false, get: () => undefined };
    await expect(emailApi(platform).drafts.read(1)).rejects.toMatchObject({
      code: 'no_http_service',
    });
  });
});

it('keys of messages are never the same', () => {
  expect(new Set(Array.from({ length: 100 }, newIdempotencyKey)).size).toBe(100);
  expect(newIdempotencyKey()).toMatch(/^[0-9a-f]{32}$/);
});
