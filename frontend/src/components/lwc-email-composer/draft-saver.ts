/** Keeps what is being written on the server, and notices when another window does so too. */

import { Draft, DraftContent, DraftsApi } from '../../services/email-api/drafts';
import { EmailError } from '../../services/email-error';

export type SaveState =
  'unchanged' | 'waiting' | 'saving' | 'saved' | 'failed' | 'conflict' | 'held';

export interface SaverOptions {
  drafts: DraftsApi;
  conversation: number;
  /** Gives what is to be stored. */
  content: () => DraftContent;
  /** Gives the newest message that the user has seen. */
  newest: () => number | null;
  changed: () => void;
  /** Milliseconds without a change after which it is stored. */
  pause?: number;
  /** Milliseconds after which it is tried again when it failed for now. */
  retry?: number;
}

const PAUSE = 800;
const RETRY = 10_000;
/** Somebody may sign in again in another tab. */
const UNAUTHORIZED = 401;

export class DraftSaver {
  state: SaveState = 'unchanged';
  version = 0;

  /** What went wrong last. */
  error?: EmailError;

  /** What another window stored, or nothing if it sent or discarded the draft. */
  newer?: Draft;

  private isHeld = false;
  private timer?: ReturnType<typeof setTimeout>;
  private running?: Promise<void>;
  private again = false;
  private closed = false;

  constructor(private readonly options: SaverOptions) {}

  /** Whether something is written that is stored nowhere. */
  get isUnsaved(): boolean {
    return ['waiting', 'saving', 'failed', 'conflict', 'held'].includes(this.state);
  }

  /** Something was written. */
  touch(): void {
    if (this.closed || this.state === 'conflict') {
      return;
    }
    if (this.isHeld) {
      this.become('held');
      return;
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), this.options.pause ?? PAUSE);
    if (this.state !== 'waiting') {
      this.become('waiting');
    }
  }

  /** Store at once what waits; settled when it is stored or could not be. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    if (this.running) {
      this.again = this.again || this.state === 'waiting';
      await this.running;
    } else if (this.state === 'waiting' || this.state === 'failed') {
      this.running = this.save();
      await this.running;
    }
  }

  /** Store nothing while it is not decided what becomes of another draft in the same place. */
  hold(): void {
    this.isHeld = true;
  }

  /** Go on storing, over a version. */
  release(version: number): void {
    this.isHeld = false;
    this.version = version;
    if (this.state === 'held') {
      this.touch();
    }
  }

  /** Store this text although another window stored another one. */
  async keepMine(): Promise<void> {
    this.version = this.newer?.version ?? 0;
    this.newer = undefined;
    this.state = 'waiting';
    await this.flush();
  }

  /** Go on with the draft that another window stored. */
  takeOver(draft: Draft): void {
    this.newer = undefined;
    this.isHeld = false;
    this.version = draft.version;
    this.become(draft.version ? 'saved' : 'unchanged');
  }

  /** Store nothing any more. */
  close(): void {
    clearTimeout(this.timer);
    this.closed = true;
  }

  /** Begin anew: what was there is sent or thrown away. */
  reset(): void {
    clearTimeout(this.timer);
    this.version = 0;
    this.newer = undefined;
    this.become('unchanged');
  }

  private async save(): Promise<void> {
    const { drafts, conversation, content, newest } = this.options;
    do {
      this.again = false;
      this.become('saving');
      try {
        const stored = await drafts.save(conversation, this.version, content(), newest());
        this.version = stored.version;
        this.error = undefined;
        // Something more was written meanwhile.
        this.become(this.state === 'saving' ? 'saved' : this.state);
      } catch (error) {
        this.fail(error as EmailError);
      }
    } while (this.again && this.state === 'waiting');
    this.running = undefined;
  }

  private fail(error: EmailError): void {
    this.error = error;
    if (error.status === 409 && 'newer' in error.details) {
      this.newer = (error.details.newer as Draft | null) ?? undefined;
      clearTimeout(this.timer);
      this.become('conflict');
    } else {
      this.become('failed');
      if (!this.closed && (error.isTemporary || error.status === UNAUTHORIZED)) {
        this.timer = setTimeout(() => void this.flush(), this.options.retry ?? RETRY);
      }
    }
  }

  private become(state: SaveState): void {
    this.state = state;
    this.options.changed();
  }
}
