import { Component, h, Host, Prop, State, VNode, Watch } from '@stencil/core';

import { Context, Platform } from '../../platform';
import { unreadWatch } from '../../services/unread';
import { Texts, textsOf } from '../../translate';

/** The object of a table's row, under the names that hosts have for its two parts. */
interface Row {
  id?: number;
  _id?: number;
  limetype?: string;
  _limetype?: string;
}

/**
 * Shows in a table's row that the object has conversations with unread messages. All indicators of
 * a page ask in one request.
 */
@Component({
  tag: 'lwc-unread-message-icon-indicator',
  styleUrl: 'lwc-unread-message-icon-indicator.css',
  shadow: true,
})
export class UnreadMessageIconIndicator {
  /** The host's services. */
  @Prop() platform?: Platform;

  /** What the table stands in. */
  @Prop() context?: Context;

  /** The name of the column, as tables pass it. */
  @Prop({ reflect: true }) field?: string;

  /** What the host knows already: whether, or how many conversations, are unread. */
  @Prop() value?: unknown;

  /** The row's object, as tables pass it. */
  @Prop() data?: Row;

  /** The limetype of the object, where the host gives no row. */
  @Prop() limetype?: string;

  /** The id of the object, where the host gives no row. */
  @Prop() objectId?: number;

  @State() private count?: number;

  private texts?: Texts;
  private watched = '';
  private leave?: () => void;

  connectedCallback(): void {
    this.watchObject();
  }

  async componentWillLoad(): Promise<void> {
    if (this.platform) {
      this.texts = textsOf(this.platform);
      await this.texts.ready;
    }
  }

  disconnectedCallback(): void {
    this.stop();
  }

  @Watch('platform')
  @Watch('context')
  @Watch('data')
  @Watch('limetype')
  @Watch('objectId')
  protected watchObject(): void {
    const limetype = this.limetype ?? this.data?._limetype ?? this.data?.limetype;
    const kind = limetype ?? this.context?.limetype;
    const id = Number(this.objectId ?? this.data?.id ?? this.data?._id ?? this.context?.id);
    const object = this.platform && kind && id > 0 ? `${kind}/${id}` : '';
    // Tables give a row's cell new objects with the same content, again and again.
    if (object === this.watched && this.leave) {
      return;
    }
    this.stop();
    if (!this.platform || !kind || !object) {
      return;
    }
    this.texts = textsOf(this.platform);
    this.watched = object;
    this.leave = unreadWatch(this.platform).watch(kind, id, (count) => (this.count = count));
  }

  render(): VNode {
    const count = this.count ?? known(this.value);
    return (
      <Host>
        {count > 0 && this.texts ? (
          <span class="unread" role="img" aria-label={this.label(count)} title={this.label(count)}>
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M2 3h12a1 1 0 0 1 1 1v.4L8 8.6 1 4.4V4a1 1 0 0 1 1-1z" />
              <path d="m1 5.8 7 4.2 7-4.2V12a1 1 0 0 1-1 1H2a1 1 0 0 1-1-1z" />
            </svg>
            {count > 1 && <span class="count">{count > 99 ? '99+' : count}</span>}
          </span>
        ) : null}
      </Host>
    );
  }

  private label(count: number): string {
    return this.texts?.count('unread.conversations', count) ?? '';
  }

  private stop(): void {
    this.leave?.();
    this.leave = undefined;
    this.watched = '';
    this.count = undefined;
  }
}

function known(value: unknown): number {
  return typeof value === 'number' || typeof value === 'boolean' ? Number(value) : 0;
}
