import { defineVitestConfig } from '@stencil/vitest/config';
import { stencilVitestPlugin } from '@stencil/vitest/plugin';

import { writeTexts } from './scripts/texts.mjs';

writeTexts();

export default defineVitestConfig({
  stencilConfig: './stencil.config.ts',
  test: {
    coverage: { include: ['src/**/*.{ts,tsx}'] },
    projects: [
      {
        plugins: [stencilVitestPlugin()],
        test: {
          name: 'components',
          include: ['src/**/*.spec.{ts,tsx}'],
          environment: 'stencil',
        },
      },
      {
        test: { name: 'units', include: ['src/**/*.unit.ts'], environment: 'node' },
      },
    ],
  },
});
