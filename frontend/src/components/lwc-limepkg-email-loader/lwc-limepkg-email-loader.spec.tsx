import { expect, h, it, render } from '@stencil/vitest';

import { testPlatform } from '../../testing';
import './lwc-limepkg-email-loader';

it('renders nothing and asks nothing', async () => {
  const platform = testPlatform();
  const { root } = await render(<lwc-limepkg-email-loader platform={platform} context={{}} />);
  expect(root.shadowRoot?.textContent).toBe('');
  expect(platform.requests).toEqual([]);
});

it('does without a host', async () => {
  const { root } = await render(<lwc-limepkg-email-loader />);
  expect(root.shadowRoot?.textContent).toBe('');
});
