import { describe, expect, it } from 'vitest';

import { EmailError } from '../../services/email-error';
import { englishTexts } from '../../testing';
import { attachDocument, Attached, attachFiles, bytesOf, detach } from './attached';
import { documentsOf, filesOf } from './attached';
import { Attempt } from './attempt';
import { check, doubts } from './checks';
import { fateOf, followFate } from './fate';
import { addPeople } from './people';
import { problemsOf } from './problems';
import { SnippetSearch } from './snippet-search';

const texts = englishTexts();
const limits = { each: 10, together: 15, count: 3 };
const file = (name: string, size: number) =>
  new File(['x'.repeat(size)], name, { lastModified: 1 });

describe('files', () => {
  it('that do not fit stay in sight with the reason and do not go along', () => {
    let all = attachFiles([], [file('a', 10), file('b', 11), file('c', 6)], limits, texts);
    expect(all.map((each) => Boolean(each.error))).toEqual([false, true, true]);
    expect(filesOf(all).map((each) => each.name)).toEqual(['a']);
    all = detach(all, all[0]?.key ?? '');
    all = attachDocument(all, { id: 5, filename: 'd', size: 9 }, limits, texts);
    expect([documentsOf(all), bytesOf(all)]).toEqual([[5], 9]);
  });

  it('are attached once', () => {
    let all: Attached[] = attachFiles([], [file('a', 1)], limits, texts);
    all = attachFiles(all, [file('a', 1)], limits, texts);
    all = attachDocument(all, { id: 5, filename: 'd', size: 1 }, limits, texts);
    all = attachDocument(all, { id: 5, filename: 'd', size: 1 }, limits, texts);
    expect(all).toHaveLength(2);
  });
});

it('a message keeps its key until it says something else or is sent', () => {
  let number = 0;
  const attempt = new Attempt(() => String(++number));
  const keys = [
    attempt.keyFor({ html: 'a' }, []),
    attempt.keyFor({ html: 'a' }, []),
    attempt.keyFor({ html: 'a' }, [file('a', 1)]),
    attempt.keyFor({ html: 'b' }, []),
  ];
  attempt.settle();
  expect([...keys, attempt.keyFor({ html: 'b' }, [])]).toEqual(['1', '1', '2', '3', '4']);
});

describe('before sending', () => {
  const people = addPeople([], [{ email: 'a@x.se', name: '' }], []);
  const message = {
    account: 1,
    people,
    subject: 'Hi',
    html: '<p>Hello</p>',
    attached: [],
    isReply: false,
  };

  it('everything that is wrong is told at once', () => {
    const nothing = { ...message, account: 0, people: [], subject: ' ', html: '<p></p>' };
    expect(Object.keys(check(nothing, 10, texts)).sort()).toEqual([
      'account',
      'people',
      'subject',
      'text',
    ]);
    expect(check(message, 10, texts)).toEqual({});
    expect(check({ ...nothing, isReply: true }, 10, texts).subject).toBeUndefined();
  });

  it('broken addresses and too many are named', () => {
    const broken = addPeople(people, [{ email: 'x', name: '' }], []);
    expect(check({ ...message, people: broken }, 10, texts).people).toContain('x');
    const two = addPeople(people, [{ email: 'b@x.se', name: '' }], []);
    expect(check({ ...message, people: two }, 1, texts).people).toContain('1');
  });

  it('slips are asked about', () => {
    expect(doubts(message, texts)).toEqual([]);
    const slips = { ...message, html: '<p>[parent.title?] is attached</p>' };
    expect(doubts(slips, texts)).toHaveLength(2);
  });
});

it('sentences of a refused message belong to the parts that show them', () => {
  const errors = { 'recipients.0.email': ['No.'], followers: ['Gone.'], undo: ['Odd.'] };
  const { parts, other } = problemsOf(new EmailError({ errors }, 422));
  expect([parts, other]).toEqual([{ people: 'No. Gone.' }, ['undo: Odd.']]);
});

describe('what became of a message', () => {
  const mail = (state: string, role = 'to') => ({
    id: 1,
    name: '',
    email: '',
    role,
    state,
    reason: '',
  });

  it('is settled when nothing waits', () => {
    expect(fateOf([]).settled).toBe(false);
    expect(fateOf([mail('received', 'from'), mail('queued')]).settled).toBe(false);
    expect(fateOf([mail('scheduled')]).settled).toBe(false);
    expect(fateOf([mail('sent'), mail('failed')])).toMatchObject({ settled: true });
    expect(fateOf([mail('sent'), mail('failed')]).failed).toHaveLength(1);
  });

  it('is asked for until it is settled, whatever fails', async () => {
    const answers = [
      () => Promise.reject(new Error()),
      () => [mail('queued')],
      () => [mail('sent')],
    ];
    const told: boolean[] = [];
    const items = async () => ({
      items: [{ id: 4, recipients: await answers.shift()?.() }],
      total: 1,
    });
    followFate({
      feed: { read: items as never },
      conversation: 1,
      message: 4,
      told: (fate) => told.push(fate.settled),
      pauses: [1, 1, 1, 1, 1],
    });
    await expect.poll(() => told, { interval: 5 }).toEqual([false, true]);
    expect(answers).toEqual([]);
  });
});

describe('snippets after !', () => {
  const snippet = (id: number) => ({ id, title: `S${id}`, text: `<p>${id}</p>` });
  const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

  it('are chosen with the keyboard and put where ! was typed', async () => {
    const inserted: string[] = [];
    const titles: unknown[] = [];
    const list = async (query: unknown) => {
      titles.push((query as { title?: string }).title);
      return { items: [snippet(1), snippet(2)], total: 2 };
    };
    const search = new SnippetSearch({ list } as never, () => undefined, { pause: 1 });
    const place = {
      insertHtml: async (html: string) => void inserted.push(html),
      stopTrigger: () => undefined,
    };
    expect(search.press('Enter')).toBe(false);
    search.open(place);
    await settle();
    search.narrow('hel', place);
    await settle();
    expect(titles).toEqual([undefined, 'hel']);
    expect([search.press('ArrowDown'), search.press('x'), search.press('Enter')]).toEqual([
      true,
      false,
      true,
    ]);
    expect([inserted, search.isOpen]).toEqual([['<p>2</p>'], false]);
  });

  it('stay chosen when a late answer lists others', async () => {
    const inserted: string[] = [];
    const answers = [
      [snippet(1), snippet(2)],
      [snippet(2), snippet(3)],
    ];
    const list = async () => ({ items: answers.shift() ?? [], total: 2 });
    const search = new SnippetSearch({ list } as never, () => undefined, { pause: 1 });
    const place = {
      insertHtml: async (html: string) => void inserted.push(html),
      stopTrigger: () => undefined,
    };
    search.open(place);
    await settle();
    search.narrow('h', place);
    search.press('ArrowDown');
    await settle();
    search.press('Enter');
    expect(inserted).toEqual(['<p>2</p>']);
  });
});
