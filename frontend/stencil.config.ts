import { Config } from '@stencil/core';
import { transform } from 'lightningcss';

const SHARED_STYLE = 'ui/admin.css';
const STYLE_QUERY = 'tag=lwc-account-management&encapsulation=shadow';

interface Rollup {
  resolve(
    source: string,
    importer: string | undefined,
    options: { skipSelf: boolean },
  ): Promise<{ id: string } | null>;
}

/**
 * Stencil compiles a style once for each component that names it. In shadow roots the results are
 * the same, so all of them get that of one, and the bundle carries it once.
 */
const sharedStyle = {
  name: 'shared-style',
  async resolveId(this: Rollup, source: string, importer?: string): Promise<string | null> {
    const [file = '', query = ''] = source.split('?');
    if (!file.endsWith(SHARED_STYLE) || !query.endsWith('&encapsulation=shadow')) {
      return null;
    }
    const found = await this.resolve(file, importer, { skipSelf: true });
    return found && `${found.id.split('?')[0]}?${STYLE_QUERY}`;
  },
};

/**
 * What components share becomes one file and not a dozen of some hundred bytes each: they zip better
 * together, and every page takes most of them anyway.
 */
const fewerFiles = {
  name: 'fewer-files',
  outputOptions: (options: object): object => ({ ...options, experimentalMinChunkSize: 60_000 }),
};

/** Stencil gives each element of `render` a key of forty digits, which do not zip; six will do. */
const shorterKeys = {
  name: 'shorter-keys',
  renderChunk: (code: string): string =>
    code.replace(/\bkey: (['"])([0-9a-f]{6})[0-9a-f]{34}\1/g, 'key: $1$2$1'),
};

/** Stencil's own takes out spaces and comments only. */
const denserStyles = {
  name: 'denser-styles',
  pluginType: 'css',
  transform: (source: string, id: string): { id: string; code: string } | null => {
    if (!id.endsWith('.css')) {
      return null;
    }
    const { code } = transform({ filename: id, code: Buffer.from(source), minify: true });
    return { id, code: code.toString() };
  },
};

export const config: Config = {
  namespace: 'limepkg-email-lwc-components',
  outputTargets: [{ type: 'dist', dir: 'dist', empty: true }],
  // A file for each page with the parts that it opens, and one for what is on every page.
  bundles: [
    {
      components: [
        'lwc-email-composer',
        'lwc-limepkg-email-recipients',
        'lwc-limepkg-email-attachments',
      ],
    },
    {
      components: [
        'lwc-account-management',
        'lwc-limepkg-email-account-add',
        'lwc-limepkg-email-account-edit',
      ],
    },
    {
      components: [
        'lwc-oauth-app-management',
        'lwc-limepkg-email-oauth-app-edit',
        'lwc-limepkg-email-copy',
      ],
    },
    {
      components: [
        'lwc-template-management',
        'lwc-limepkg-email-template-edit',
        'lwc-limepkg-email-template-preview',
        'lwc-limepkg-email-template-source',
      ],
    },
    { components: ['lwc-limepkg-email-loader', 'lwc-unread-message-icon-indicator'] },
  ],
  plugins: [denserStyles],
  rollupPlugins: { before: [sharedStyle, shorterKeys, fewerFiles] },
  // Hosts have current browsers; the source is public anyway.
  sourceMap: false,
  hashFileNames: true,
  // Several people may build side by side, and a cache on disk is no faster here.
  enableCache: false,
  validateTypes: true,
  invisiblePrehydration: true,
};
