/** Uploads files as soon as they are attached, so that a draft has them before it is sent. */

import { EmailApi } from '../../services/email-api';
import { newIdempotencyKey } from '../../services/email-api/client';
import { EmailError } from '../../services/email-error';
import { Texts } from '../../translate';
import { explain } from '../../ui/explain';
import { Attached } from './attached';

/** What a message that is being written tells of its files. */
export interface Attaching {
  attached: Attached[];
  readonly conversation: number;
  /** Whether another draft stands in the place of this one: its files must not be mixed up. */
  readonly elsewhere?: unknown;
}

export interface UploadsOptions {
  api: EmailApi;
  texts: Texts;
  changed: () => void;
}

export class Uploads {
  private readonly keys = new Map<File, string>();
  private readonly running = new Map<File, Promise<void>>();

  constructor(
    private readonly message: Attaching,
    private readonly options: UploadsOptions,
  ) {}

  /** Begin with every file that is not on the server yet. */
  start(): void {
    if (this.message.elsewhere) {
      return;
    }
    for (const { file, upload, error, failed } of this.message.attached) {
      if (file && !upload && !error && !failed && !this.running.has(file)) {
        const upload = this.upload(file).finally(() => this.running.delete(file));
        this.running.set(file, upload);
      }
    }
  }

  /** Try a file again that could not be uploaded. */
  retry(key: string): void {
    const file = this.message.attached.find((each) => each.key === key)?.file;
    if (file) {
      this.note(file, { failed: undefined });
      this.start();
    }
  }

  /** Try everything again that could not be uploaded. */
  retryAll(): void {
    const failed = this.message.attached.filter((each) => each.failed);
    failed.forEach((each) => this.retry(each.key));
  }

  /** Take a file away from the draft as well; one that is on its way follows when it is there. */
  forget({ upload }: Attached): void {
    if (upload) {
      // It is gone for the author in any case, and goes with the draft at the latest.
      void this.options.api.drafts.detach(upload).catch(() => undefined);
    }
  }

  /** Wait for what is on its way; whatever could not be uploaded goes along with the message. */
  async settle(): Promise<void> {
    await Promise.all(this.running.values());
  }

  /** Begin anew with files that the server has no more; those that are only there are said. */
  async again(): Promise<void> {
    const { api, texts } = this.options;
    const { uploads = [] } = await api.drafts.read(this.message.conversation);
    const there = new Set(uploads.map((each) => each.id));
    this.message.attached = this.message.attached.map((each) => {
      if (!each.upload || there.has(each.upload)) {
        return each;
      }
      if (each.file) {
        this.keys.delete(each.file);
      }
      const { name } = each;
      const error = each.file ? undefined : texts.get('composer.upload_gone', { name });
      return { ...each, upload: undefined, error };
    });
    this.start();
    this.options.changed();
  }

  private async upload(file: File): Promise<void> {
    const { api } = this.options;
    this.note(file, { progress: 0 });
    try {
      const { id } = await api.drafts.attach(this.message.conversation, file, {
        idempotencyKey: this.keyOf(file),
        onProgress: (progress) => this.note(file, { progress }),
      });
      if (this.message.attached.some((each) => each.file === file)) {
        this.note(file, { upload: id, progress: undefined });
      } else {
        // It was taken away, or the draft was, before it had arrived.
        await api.drafts.detach(id);
      }
    } catch (error) {
      this.fail(file, error as EmailError);
    }
  }

  private fail(file: File, error: EmailError): void {
    const { texts } = this.options;
    const [refused] = error.errors?.files ?? [];
    const told = refused ? { error: refused } : { failed: explain(error, texts) };
    this.note(file, { progress: undefined, ...told });
  }

  private keyOf(file: File): string {
    const key = this.keys.get(file) ?? newIdempotencyKey();
    this.keys.set(file, key);
    return key;
  }

  private note(file: File, news: Partial<Attached>): void {
    this.message.attached = this.message.attached.map((each) =>
      each.file === file ? { ...each, ...news } : each,
    );
    this.options.changed();
  }
}
