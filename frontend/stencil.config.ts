import { Config } from '@stencil/core';

export const config: Config = {
  namespace: 'limepkg-email-lwc-components',
  outputTargets: [{ type: 'dist', dir: 'dist', empty: true }],
  // Hosts have current browsers; the source is public anyway.
  sourceMap: false,
  hashFileNames: true,
  // Several people may build side by side, and a cache on disk is no faster here.
  enableCache: false,
  validateTypes: true,
  invisiblePrehydration: true,
};
