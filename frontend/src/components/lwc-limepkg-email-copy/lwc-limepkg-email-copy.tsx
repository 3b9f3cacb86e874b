import { Component, Element, h, Prop, State, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { Texts, textsOf } from '../../translate';

/** Shows a value that has to be entered elsewhere, with a button that copies it. */
@Component({
  tag: 'lwc-limepkg-email-copy',
  styleUrl: 'lwc-limepkg-email-copy.css',
  shadow: true,
})
export class Copy {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** What the value is. */
  @Prop() label = '';

  /** What is copied. */
  @Prop() value = '';

  @Element() private host!: HTMLElement;

  @State() private said = '';

  private texts!: Texts;

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
  }

  render(): VNode {
    return (
      <div class="copy">
        <span class="label">{this.label}</span>
        <div class="row">
          <code>{this.value}</code>
          <button
            type="button"
            aria-label={`${this.texts.get('admin.copy')}: ${this.label}`}
            onClick={() => void this.copy()}
          >
            {this.texts.get('admin.copy')}
          </button>
        </div>
        <span class="said" role="status">
          {this.said}
        </span>
      </div>
    );
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.value);
      this.said = this.texts.get('admin.copied');
    } catch {
      // Browsers have no clipboard on pages without https: the text is marked for Ctrl+C.
      this.mark();
      this.said = this.texts.get('admin.marked');
    }
  }

  private mark(): void {
    const code = this.host.shadowRoot?.querySelector('code');
    if (code) {
      window.getSelection()?.selectAllChildren(code);
    }
  }
}
