import { Component, Prop } from '@stencil/core';

import { Context, Platform } from '../../platform';
import { textsOf } from '../../translate';

/**
 * What a host creates once when it starts. It renders nothing: it makes ready what the components
 * of the page share.
 */
@Component({ tag: 'lwc-limepkg-email-loader', shadow: true })
export class EmailLoader {
  /** The host's services. */
  @Prop() platform?: Platform;

  /** What the host stands in. */
  @Prop() context?: Context;

  async componentWillLoad(): Promise<void> {
    if (this.platform) {
      // So that the first component on the page shows its texts at once.
      await textsOf(this.platform).ready;
    }
  }

  render(): null {
    return null;
  }
}
