import { describe, expect, it, vi } from 'vitest';

import { englishTexts, httpError, Request, testPlatform } from '../../testing';
import { Writing } from './writing';

vi.stubGlobal('window', new EventTarget());

const anna = { id: 1, name: 'Anna', email: 'anna@x.se', active: true };
const opening = {
  conversation: 3,
  subject: 'Printer',
  account: 2,
  newest_message: 9,
  followers: [anna],
  own_addresses: ['support@x.se'],
  signature: '',
  undo_seconds: 10,
  limits: { file_size: 100, files_together: 150, files: 3, recipients: 5 },
};
const accounts = [
  { id: 1, email: 'sales@x.se', name: 'Sales', signature: '<p>S</p>', language: 'en' },
  { id: 2, email: 'support@x.se', name: 'Support', signature: '<p>U</p>', language: 'sv' },
];
const nothing = { subject: '', html: '', recipients: [], followers: null, files: [] };
const submitted = {
  conversation: 3,
  conversationmessage: 20,
  messagefollowers: [30],
  repeated: false,
};
const key = ({ method, url }: Request) => `${method} ${url}`;

type Answers = Record<string, (request: Request) => unknown>;

async function writingWith(answers: Answers = {}, place: Writing['place'] = { conversation: 3 }) {
  const usual: Answers = {
    'get limepkg-email/composer/': () => ({ ...opening, conversation: place.conversation }),
    'get limepkg-email/draft/': () => ({ version: 0, newest_message: 0, content: nothing }),
    'put limepkg-email/draft/': () => ({ version: 1, newest_message: 9, content: nothing }),
    'get limepkg-email/user/account/': () => ({ items: accounts, total: 2 }),
    'get limepkg-email/feed/': () => ({ items: [], total: 0 }),
    'get limepkg-email/messages/documents': () => [],
    'post limepkg-email/message/2/': () => submitted,
    'post limepkg-email/conversation/': () => submitted,
    ...answers,
  };
  const platform = testPlatform((request) => usual[key(request)]?.(request) ?? {}, {
    agree: true,
  });
  const texts: string[] = [];
  const sent: unknown[] = [];
  const writing = new Writing({
    platform,
    place,
    texts: englishTexts(),
    changed: () => undefined,
    replaceText: (html) => texts.push(html),
    sent: (each) => sent.push(each),
    now: () => 1000,
  });
  await writing.load();
  const posted = () => platform.requests.filter((each) => each.method === 'post');
  return { writing, platform, texts, sent, posted, answers: usual };
}

describe('an answer', () => {
  it('goes from the account of the conversation to its followers', async () => {
    const { writing, posted, sent, texts } = await writingWith();
    expect([writing.account, writing.subject, writing.signature]).toEqual([
      2,
      'Re: Printer',
      '<p>U</p>',
    ]);
    writing.setText('<p>Hello</p>');
    await writing.send();
    expect(posted()[0]).toMatchObject({
      url: 'limepkg-email/message/2/',
      data: {
        subject: 'Re: Printer',
        html: '<p>Hello</p>',
        conversation: 3,
        followers: [1],
        recipients: [],
        newest_message: 9,
        undo: true,
        draft: 1,
        anyway: false,
      },
    });
    expect(sent).toEqual([submitted]);
    expect([writing.html, texts.at(-1), writing.isBlank]).toEqual(['', '', true]);
    expect(writing.aftermath.secondsLeft).toBe(10);
    writing.close();
  });

  it('is sent once however often it is handed in, and keeps its key', async () => {
    let away = true;
    const { writing, posted } = await writingWith({
      'post limepkg-email/message/2/': () => {
        if (away) {
          throw httpError(503, { code: 'engine_unavailable', message: 'Away.' });
        }
        return submitted;
      },
    });
    writing.setText('<p>Hello</p>');
    await Promise.all([writing.send(), writing.send()]);
    expect([writing.error?.status, writing.html, writing.phase]).toEqual([
      503,
      '<p>Hello</p>',
      'ready',
    ]);
    away = false;
    await writing.retry();
    const keys = posted().map((each) => each.options?.headers?.['Idempotency-Key']);
    expect(keys).toHaveLength(2);
    expect(keys[0]).toBe(keys[1]);
    writing.close();
  });

  it('that says nothing is not handed in', async () => {
    const { writing, posted } = await writingWith();
    await writing.send();
    expect(Object.keys(writing.problems)).toEqual(['text']);
    expect(posted()).toEqual([]);
    writing.close();
  });

  it('is begun with what came, and who joined, since the page was opened', async () => {
    const bo = { id: 2, name: 'Bo', email: 'bo@x.se', active: true };
    const now = { ...opening, newest_message: 12, followers: [anna, bo] };
    const { writing, posted, answers } = await writingWith();
    answers['get limepkg-email/composer/'] = () => now;
    writing.typing();
    await vi.waitFor(() => expect(writing.people.map((each) => each.name)).toEqual(['Anna', 'Bo']));
    answers['get limepkg-email/composer/'] = () => ({ ...now, newest_message: 15 });
    writing.typing();
    // The editor says so late: what came while somebody typed has not been seen.
    writing.setText('<p>Hello both</p>');
    await writing.send();
    expect(posted()[0]?.data).toMatchObject({ newest_message: 12 });
    writing.close();
  });

  it('knows what the page has shown while it was written', async () => {
    const { writing, posted } = await writingWith();
    writing.setText('<p>Hello</p>');
    writing.saw(14);
    await writing.send();
    expect(posted()[0]?.data).toMatchObject({ newest_message: 14 });
    writing.close();
  });

  it('stops when somebody wrote meanwhile, until the author has seen it', async () => {
    const arrived = [{ id: 12, author: 'Bo', preview: 'Done', date: '2026-03-01T12:00:00Z' }];
    const { writing, posted } = await writingWith({
      'post limepkg-email/message/2/': ({ data }) => {
        const { anyway, newest_message } = data as { anyway: boolean; newest_message: number };
        if (!anyway && newest_message < 12) {
          throw httpError(409, { code: 'conflict', message: 'New.', arrived });
        }
        return submitted;
      },
    });
    writing.setText('<p>Hello</p>');
    await writing.send();
    expect([writing.arrived, writing.html]).toEqual([arrived, '<p>Hello</p>']);
    writing.lookFirst();
    expect(writing.arrived).toEqual([]);
    await writing.send();
    expect(posted()).toHaveLength(2);
    expect(writing.aftermath.sent).toBeDefined();
    writing.close();
  });

  it('waits when somebody follows since it was begun', async () => {
    let followers = [anna];
    const { writing, posted } = await writingWith({
      'get limepkg-email/composer/': () => ({ ...opening, followers }),
    });
    writing.setText('<p>Hello</p>');
    followers = [anna, { id: 2, name: 'Bo', email: 'bo@x.se', active: true }];
    await writing.send();
    expect([posted(), writing.notes.length]).toEqual([[], 1]);
    await writing.send();
    expect(posted()[0]?.data).toMatchObject({ followers: [1, 2] });
    writing.close();
  });

  it('shows the sentences of a refusal with their parts', async () => {
    const { writing } = await writingWith({
      'post limepkg-email/message/2/': () => {
        throw httpError(422, { code: 'invalid_input', errors: { files: ['Too large.'] } });
      },
    });
    writing.setText('<p>Hello</p>');
    await writing.send();
    expect(writing.problems).toEqual({ files: 'Too large.' });
    writing.attach([new File(['x'], 'a.txt')]);
    expect(writing.problems).toEqual({});
    writing.close();
  });

  it('waits for its files and refers to them', async () => {
    const { writing, posted } = await writingWith({
      'post limepkg-email/draft/file/': () => ({ id: 5 }),
    });
    writing.setText('<p>Hello</p>');
    writing.attach([new File(['x'], 'a.txt')]);
    expect(writing.wouldLose).toBe(true);
    await writing.send();
    expect(posted().map((each) => each.url)).toEqual([
      'limepkg-email/draft/file/',
      'limepkg-email/message/2/',
    ]);
    expect(posted()[1]?.data).toMatchObject({ draft_files: [5] });
    writing.close();
  });

  it('whose files were taken away elsewhere brings them again', async () => {
    let id = 4;
    const { writing, posted } = await writingWith({
      'post limepkg-email/draft/file/': () => ({ id: ++id }),
      'post limepkg-email/message/2/': ({ data }) => {
        if ((data as { draft_files: number[] }).draft_files.includes(5)) {
          const errors = { draft_files: ['The file 5 is no longer in the draft.'] };
          throw httpError(422, { code: 'invalid_input', message: 'No.', errors });
        }
        return submitted;
      },
    });
    writing.setText('<p>Hello</p>');
    writing.attach([new File(['x'], 'a.txt')]);
    await writing.send();
    expect(writing.error?.status).toBe(422);
    await writing.retry();
    expect(posted().at(-1)?.data).toMatchObject({ draft_files: [6] });
    expect(writing.aftermath.sent).toBeDefined();
    writing.close();
  });

  it('is given back by undo, with its files as documents', async () => {
    const document = { id: 5, filename: 'a.txt', size: 1, content_type: '', url: '' };
    const { writing, texts } = await writingWith({
      'post limepkg-email/message/20/cancel/': () => ({ ...submitted, cancelled: [30], left: [] }),
      'get limepkg-email/messages/documents': () => [{ message: 20, documents: [document] }],
    });
    writing.setText('<p>Hello</p>');
    writing.attach([new File(['x'], 'a.txt')]);
    await writing.send();
    writing.setText('<p>Meanwhile</p>');
    await writing.undo();
    expect(texts.at(-1)).toBe('<p>Hello</p><p>Meanwhile</p>');
    expect(writing.attached.map((each) => [each.name, each.document])).toEqual([['a.txt', 5]]);
    expect(writing.aftermath.sent).toBeUndefined();
    writing.close();
  });

  it('that has left cannot be taken back, and says so', async () => {
    const { writing } = await writingWith({
      'post limepkg-email/message/20/cancel/': () => {
        throw httpError(409, { code: 'conflict', message: 'It has left.' });
      },
    });
    writing.setText('<p>Hello</p>');
    await writing.send();
    await writing.undo();
    expect([writing.error?.message, writing.html]).toEqual(['It has left.', '']);
    writing.close();
  });
});

describe('a new conversation', () => {
  const place = { conversation: 0, parent: { limetype: 'helpdesk', id: 7 } };
  const fresh = () => ({ ...opening, conversation: 0, subject: '', followers: [], account: null });

  it('hangs on its object and needs subject and recipients', async () => {
    const { writing, posted } = await writingWith({ 'get limepkg-email/composer/': fresh }, place);
    writing.setText('<p>Hello</p>');
    await writing.send();
    expect(Object.keys(writing.problems).sort()).toEqual(['people', 'subject']);
    writing.setSubject('Hi');
    writing.add([{ email: 'c@x.se', name: 'Cia' }]);
    await writing.send();
    expect(posted()[0]).toMatchObject({
      url: 'limepkg-email/conversation/',
      data: { account: 1, parent: place.parent, recipients: [{ email: 'c@x.se' }] },
    });
    writing.close();
  });

  it('does not take over a draft that was begun on another object unasked', async () => {
    const content = {
      ...nothing,
      subject: 'X',
      html: '<p>x</p>',
      parent: { limetype: 'helpdesk', id: 8 },
    };
    const draft = { version: 4, newest_message: 0, content };
    const { writing } = await writingWith(
      { 'get limepkg-email/composer/': fresh, 'get limepkg-email/draft/': () => draft },
      place,
    );
    expect([writing.html, writing.elsewhere?.version]).toEqual(['', 4]);
    writing.continueElsewhere();
    expect([writing.html, writing.subject, writing.saver.version]).toEqual(['<p>x</p>', 'X', 4]);
    writing.close();
  });

  describe('while another object has a draft', () => {
    const content = {
      ...nothing,
      subject: 'X',
      html: '<p>x</p>',
      parent: { limetype: 'helpdesk', id: 8 },
    };
    async function begun() {
      const opened = await writingWith(
        {
          'get limepkg-email/composer/': fresh,
          'get limepkg-email/draft/': () => ({ version: 4, newest_message: 0, content }),
          'put limepkg-email/draft/': ({ data }) => {
            const { version } = data as { version: number };
            if (version !== 4) {
              throw httpError(409, { code: 'conflict', message: 'Changed.', newer: null });
            }
            return { version: 5, newest_message: 0, content };
          },
        },
        place,
      );
      opened.writing.setText('<p>new</p>');
      await opened.writing.saver.flush();
      const { requests } = opened.platform;
      const stored = () =>
        requests.filter((each) => each.method === 'put').map((each) => each.data);
      return { ...opened, stored };
    }

    it('nothing is stored over it, nor taken for a conflict', async () => {
      const { writing, stored } = await begun();
      expect([stored(), writing.saver.state, writing.wouldLose]).toEqual([[], 'held', true]);
      writing.close();
    });

    it('going on with it keeps what was written here', async () => {
      const { writing, stored } = await begun();
      writing.continueElsewhere();
      expect([writing.html, writing.subject]).toEqual(['<p>x</p><p>new</p>', 'X']);
      await writing.saver.flush();
      expect(stored()).toMatchObject([{ version: 4, content: { html: '<p>x</p><p>new</p>' } }]);
      writing.close();
    });

    it('throwing it away stores what was written here', async () => {
      const { writing, stored } = await begun();
      writing.overwriteElsewhere();
      await writing.saver.flush();
      expect(stored()).toMatchObject([{ version: 4, content: { html: '<p>new</p>' } }]);
      expect(writing.saver.state).toBe('saved');
      writing.close();
    });

    it('what is discarded here is not that one', async () => {
      const { writing, platform } = await begun();
      await writing.discard();
      expect(writing.html).toBe('');
      expect(platform.requests.filter((each) => each.method === 'delete')).toEqual([]);
      writing.close();
    });
  });
});

it('a draft is restored with its recipients, and who left is told', async () => {
  const content = {
    ...nothing,
    html: '<p>half</p>',
    followers: [1, 8],
    recipients: [{ email: 'c@x.se', name: 'Cia' }],
    account: 1,
  };
  const { writing, texts } = await writingWith({
    'get limepkg-email/draft/': () => ({ version: 2, newest_message: 5, content }),
  });
  expect(texts).toEqual(['<p>half</p>']);
  expect(writing.people.map((each) => each.email)).toEqual(['anna@x.se', 'c@x.se']);
  expect([writing.account, writing.notes.length, writing.wouldLose]).toEqual([1, 1, false]);
  writing.setText('<p>half and more</p>');
  expect(writing.wouldLose).toBe(true);
  writing.close();
});

it('what cannot be opened says why and can be tried again', async () => {
  let away = true;
  const { writing } = await writingWith({
    'get limepkg-email/composer/': () => {
      if (away) {
        throw httpError(404, { code: 'not_found', message: 'Gone.' });
      }
      return opening;
    },
  });
  expect([writing.phase, writing.error?.status]).toEqual(['unavailable', 404]);
  away = false;
  await writing.load();
  expect(writing.phase).toBe('ready');
  writing.close();
});
