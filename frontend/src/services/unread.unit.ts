import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { UnreadWatch } from './unread';

function setUp() {
  const asked: [string, number[]][] = [];
  const state = { unread: new Map<number, number>(), visible: true, away: false };
  let again: (() => void) | undefined;
  const watch = new UnreadWatch({
    reading: {
      unread: async (limetype, ids) => {
        asked.push([limetype, [...ids]]);
        if (state.away) {
          throw new Error('away');
        }
        const found = [...state.unread].filter(([id]) => ids.includes(id));
        return { unread: found.map(([id, conversations]) => ({ id, conversations })) };
      },
      mark: () => Promise.reject(new Error('not asked for')),
    },
    isVisible: () => state.visible,
    observe: (callback) => {
      again = callback;
      return () => (again = undefined);
    },
  });
  return { watch, asked, state, say: () => again?.(), observes: () => again !== undefined };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const moment = () => vi.advanceTimersByTimeAsync(50);

describe('asking', () => {
  it('is one request for all rows of a page', async () => {
    const { watch, asked, state } = setUp();
    state.unread.set(2, 3);
    const seen: [number, number][] = [];
    for (let id = 1; id <= 50; id++) {
      watch.watch('helpdesk', id, (count) => seen.push([id, count]));
    }
    await moment();
    expect(asked).toEqual([['helpdesk', Array.from({ length: 50 }, (_, index) => index + 1)]]);
    expect(seen).toHaveLength(50);
    expect(seen).toContainEqual([2, 3]);
    expect(seen).toContainEqual([1, 0]);
  });

  it('asks about each limetype by itself, and about no more than the endpoint takes', async () => {
    const { watch, asked } = setUp();
    for (let id = 1; id <= 501; id++) {
      watch.watch('helpdesk', id, () => undefined);
    }
    watch.watch('deal', 1, () => undefined);
    await moment();
    expect(asked.map(([limetype, ids]) => [limetype, ids.length])).toEqual([
      ['helpdesk', 500],
      ['helpdesk', 1],
      ['deal', 1],
    ]);
  });

  it('is not done again for an object that somebody watches already', async () => {
    const { watch, asked, state } = setUp();
    state.unread.set(1, 2);
    watch.watch('helpdesk', 1, () => undefined);
    await moment();
    const seen: number[] = [];
    watch.watch('helpdesk', 1, (count) => seen.push(count));
    await moment();
    expect(seen).toEqual([2]);
    expect(asked).toHaveLength(1);
  });
});

describe('later', () => {
  it('tells what has changed, and only that', async () => {
    const { watch, state, say } = setUp();
    const seen: number[] = [];
    watch.watch('helpdesk', 1, (count) => seen.push(count));
    await moment();
    say();
    await moment();
    state.unread.set(1, 1);
    say();
    await moment();
    expect(seen).toEqual([0, 1]);
  });

  it('asks from time to time, less and less often', async () => {
    const { watch, asked } = setUp();
    watch.watch('helpdesk', 1, () => undefined);
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    // Every five minutes in the end; twelve of those, and some at the beginning.
    expect(asked.length).toBeGreaterThan(12);
    expect(asked.length).toBeLessThan(20);
  });

  it('asks nothing while nobody looks, and at once when somebody does', async () => {
    const { watch, asked, state, say } = setUp();
    watch.watch('helpdesk', 1, () => undefined);
    await moment();
    state.visible = false;
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect(asked).toHaveLength(1);
    state.visible = true;
    say();
    await moment();
    expect(asked).toHaveLength(2);
  });

  it('keeps what is known when a request fails, and tries again', async () => {
    const { watch, state, say } = setUp();
    state.unread.set(1, 1);
    const seen: number[] = [];
    watch.watch('helpdesk', 1, (count) => seen.push(count));
    await moment();
    state.away = true;
    say();
    await moment();
    state.away = false;
    state.unread.set(1, 2);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(seen).toEqual([1, 2]);
  });

  it('ends everything with the last indicator', async () => {
    const { watch, asked, observes } = setUp();
    const ends = [1, 2].map((id) => watch.watch('helpdesk', id, () => undefined));
    await moment();
    ends.forEach((end) => end());
    expect(observes()).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
    await vi.advanceTimersByTimeAsync(60 * 60_000);
    expect(asked).toHaveLength(1);
  });

  it('asks nothing about rows that left before the request', async () => {
    const { watch, asked } = setUp();
    watch.watch('helpdesk', 1, () => undefined)();
    await moment();
    expect(asked).toEqual([]);
  });
});
