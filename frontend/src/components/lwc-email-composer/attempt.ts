/** One key for a message however often it is handed in, and another once it says something else. */

import { newIdempotencyKey } from '../../services/email-api/client';

export class Attempt {
  private content = '';
  private key = '';

  constructor(private readonly make: () => string = newIdempotencyKey) {}

  /** Give the key for a message and its files. */
  keyFor(message: object, files: readonly File[]): string {
    const described = files.map(({ name, size, lastModified }) => [name, size, lastModified]);
    const content = JSON.stringify([message, described]);
    if (!this.key || content !== this.content) {
      this.content = content;
      this.key = this.make();
    }
    return this.key;
  }

  /** The message is on its way: the next one is another, even if it says the same. */
  settle(): void {
    this.key = '';
  }
}
