/**
 * What is unread, for all indicators of a page at once.
 *
 * Indicators that appear together are asked about in one request. While at least one is there and
 * the page is visible, all of them are asked about again: when something on the page says that mail
 * arrived or was read, when the page is looked at again, and else from time to time, less and less
 * often while nothing changes.
 */

import { perPlatform, Platform, service } from '../platform';
import { emailApi } from './email-api';
import { MOST_OBJECTS, ReadingApi } from './email-api/reading';

/** Dispatched on the host's event dispatcher and on `window`: ask again what is unread. */
export const CHANGED = 'limepkg-email.changed';

const GATHER = 25;
const SHORTEST = 20_000;
const LONGEST = 300_000;
const FACTOR = 1.5;

export type Listener = (conversations: number) => void;

export interface UnreadOptions {
  reading: ReadingApi;
  /** Tells whether anybody looks at the page. */
  isVisible: () => boolean;
  /** Begins to call back when to ask again; gives how to stop. */
  observe: (again: () => void) => () => void;
}

interface Watched {
  listeners: Set<Listener>;
  count?: number;
}

export class UnreadWatch {
  private readonly watched = new Map<string, Map<number, Watched>>();
  private readonly waiting = new Map<string, Set<number>>();
  private gathering?: ReturnType<typeof setTimeout>;
  private polling?: ReturnType<typeof setTimeout>;
  private pause = SHORTEST;
  private stopObserving?: () => void;

  constructor(private readonly options: UnreadOptions) {}

  /** Tell the listener how many unread conversations an object has, now and later; gives its end. */
  watch(limetype: string, id: number, listener: Listener): () => void {
    const entry = this.entry(limetype, id);
    entry.listeners.add(listener);
    if (entry.count === undefined) {
      this.ask(limetype, id);
    } else {
      listener(entry.count);
    }
    this.stopObserving ??= this.options.observe(() => this.refresh());
    this.schedule();
    return () => this.leave(limetype, id, listener);
  }

  /** Ask again about everything that is watched. */
  refresh(): void {
    this.pause = SHORTEST;
    if (this.options.isVisible()) {
      this.watched.forEach((objects, limetype) => {
        objects.forEach((_, id) => this.ask(limetype, id));
      });
    }
    this.schedule();
  }

  private entry(limetype: string, id: number): Watched {
    const objects = this.watched.get(limetype) ?? new Map<number, Watched>();
    const entry = objects.get(id) ?? { listeners: new Set<Listener>() };
    this.watched.set(limetype, objects.set(id, entry));
    return entry;
  }

  private leave(limetype: string, id: number, listener: Listener): void {
    const objects = this.watched.get(limetype);
    const entry = objects?.get(id);
    entry?.listeners.delete(listener);
    if (!objects || !entry || entry.listeners.size) {
      return;
    }
    objects.delete(id);
    if (!objects.size) {
      this.watched.delete(limetype);
    }
    if (!this.watched.size) {
      this.stop();
    }
  }

  private stop(): void {
    clearTimeout(this.gathering);
    clearTimeout(this.polling);
    this.gathering = this.polling = undefined;
    this.waiting.clear();
    this.stopObserving?.();
    this.stopObserving = undefined;
    this.pause = SHORTEST;
  }

  private ask(limetype: string, id: number): void {
    this.waiting.set(limetype, (this.waiting.get(limetype) ?? new Set()).add(id));
    // A table adds its cells over more than one task; a frame or two is enough for all.
    this.gathering ??= setTimeout(() => void this.send(), GATHER);
  }

  private async send(): Promise<void> {
    this.gathering = undefined;
    const asked = [...this.waiting];
    this.waiting.clear();
    const requests = asked.flatMap(([limetype, ids]) =>
      chunks([...ids].sort((a, b) => a - b)).map((chunk) => this.request(limetype, chunk)),
    );
    const changes = await Promise.all(requests);
    this.pause = changes.some(Boolean) ? SHORTEST : Math.min(LONGEST, this.pause * FACTOR);
    this.schedule();
  }

  private async request(limetype: string, ids: number[]): Promise<boolean> {
    try {
      const { unread } = await this.options.reading.unread(limetype, ids);
      const counts = new Map(unread.map((each) => [each.id, each.conversations]));
      return ids.map((id) => this.tell(limetype, id, counts.get(id) ?? 0)).some(Boolean);
    } catch {
      // What was known stays on the screen; the next time comes later each time.
      return false;
    }
  }

  private tell(limetype: string, id: number, count: number): boolean {
    const entry = this.watched.get(limetype)?.get(id);
    if (!entry || entry.count === count) {
      return false;
    }
    const changed = entry.count !== undefined;
    entry.count = count;
    entry.listeners.forEach((listener) => listener(count));
    return changed;
  }

  private schedule(): void {
    clearTimeout(this.polling);
    if (this.watched.size) {
      this.polling = setTimeout(() => this.poll(), this.pause);
    }
  }

  private poll(): void {
    // Nobody looks: when somebody does, the observed page says so.
    if (this.options.isVisible()) {
      this.watched.forEach((objects, limetype) => {
        objects.forEach((_, id) => this.ask(limetype, id));
      });
    }
  }
}

/** Give the watch of a platform, which all indicators on it share. */
export const unreadWatch = perPlatform(
  (platform) =>
    new UnreadWatch({
      reading: emailApi(platform).reading,
      isVisible: () => document.visibilityState !== 'hidden',
      observe: (again) => observePage(platform, again),
    }),
);

/** Say to everything on the page that mail arrived, was sent or was read. */
export function announceChange(platform: Platform, detail: unknown = {}): void {
  const dispatcher = service(platform, 'eventDispatcher');
  if (dispatcher) {
    dispatcher.dispatch(CHANGED, detail);
  } else {
    window.dispatchEvent(new CustomEvent(CHANGED, { detail }));
  }
}

function observePage(platform: Platform, again: () => void): () => void {
  const dispatcher = service(platform, 'eventDispatcher');
  const seen = (): void => {
    if (document.visibilityState !== 'hidden') {
      again();
    }
  };
  dispatcher?.addListener(CHANGED, again);
  window.addEventListener(CHANGED, again);
  document.addEventListener('visibilitychange', seen);
  return () => {
    dispatcher?.removeListener(CHANGED, again);
    window.removeEventListener(CHANGED, again);
    document.removeEventListener('visibilitychange', seen);
  };
}

function chunks(ids: number[]): number[][] {
  const found: number[][] = [];
  for (let at = 0; at < ids.length; at += MOST_OBJECTS) {
    found.push(ids.slice(at, at + MOST_OBJECTS));
  }
  return found;
}
