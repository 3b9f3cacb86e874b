import { Component, Event, EventEmitter, h, Prop, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { textsOf } from '../../translate';
import { FileLimits, formatSize } from '../../ui/files';
import { Attached, bytesOf, filesOf, going } from './attached';

/** Shows the files that go along, how large they are, and what is wrong with them. */
@Component({
  tag: 'lwc-limepkg-email-attachments',
  styleUrl: 'lwc-limepkg-email-attachments.css',
  shadow: true,
})
export class Attachments {
  /** The host's services. */
  @Prop() platform!: Platform;

  @Prop() attached: Attached[] = [];

  @Prop() limits!: FileLimits;

  /** Bytes of the pictures within the text, which count as well. */
  @Prop() pictures = 0;

  /** The share (0 to 1) that has been sent; nothing while nothing is sent. */
  @Prop() progress?: number;

  /** What is wrong with the files. */
  @Prop() error?: string;

  /** A file is not to go along: its key. */
  @Event({ bubbles: false }) detach!: EventEmitter<string>;

  /** A file is to be uploaded once more: its key. */
  @Event({ bubbles: false }) again!: EventEmitter<string>;

  async componentWillLoad(): Promise<void> {
    await textsOf(this.platform).ready;
  }

  render(): VNode | null {
    const { attached, progress } = this;
    const texts = textsOf(this.platform);
    if (!attached.length && !this.error) {
      return null;
    }
    return (
      <div class="attachments">
        <ul aria-label={texts.get('composer.files')}>{attached.map((each) => this.chip(each))}</ul>
        {progress !== undefined && filesOf(attached).length > 0 && (
          <progress aria-label={texts.get('composer.uploading')} max={1} value={progress} />
        )}
        <p class="total">{this.total()}</p>
        {this.error && (
          <p class="error" role="alert">
            {this.error}
          </p>
        )}
      </div>
    );
  }

  private chip(each: Attached): VNode {
    const texts = textsOf(this.platform);
    return (
      <li key={each.key} class={{ chip: true, wrong: Boolean(each.error ?? each.failed) }}>
        <limel-icon
          class="kind"
          size="x-small"
          name={each.document ? 'file' : 'attach'}
          aria-hidden="true"
        />
        <span class="name" title={each.name}>
          {each.name}
        </span>
        {each.size > 0 && <span class="size">{formatSize(each.size, texts.language)}</span>}
        <button
          type="button"
          aria-label={texts.get('composer.remove', { name: each.name })}
          disabled={this.progress !== undefined}
          onClick={() => this.detach.emit(each.key)}
        >
          ×
        </button>
        {each.progress !== undefined && (
          <progress
            aria-label={`${texts.get('composer.uploading')} ${each.name}`}
            max={1}
            value={each.progress}
          />
        )}
        {each.error && <span class="error">{each.error}</span>}
        {each.failed && this.failure(each, each.failed)}
      </li>
    );
  }

  private failure(each: Attached, reason: string): VNode {
    const texts = textsOf(this.platform);
    return (
      <span class="error" role="alert">
        {texts.get('composer.upload_failed', { reason })}{' '}
        <button
          type="button"
          class="again"
          aria-label={texts.get('composer.upload_again', { name: each.name })}
          onClick={() => this.again.emit(each.key)}
        >
          {texts.get('composer.retry')}
        </button>
      </span>
    );
  }

  private total(): string {
    const texts = textsOf(this.platform);
    const size = (bytes: number): string => formatSize(bytes, texts.language);
    return texts.count('composer.total', going(this.attached).length, {
      size: size(bytesOf(this.attached) + this.pictures),
      limit: size(this.limits.together),
    });
  }
}
