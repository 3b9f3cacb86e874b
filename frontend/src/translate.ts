/**
 * Texts in the user's language: the host's, else ours, which are fetched, else ours in English. Where
 * nothing can be fetched, a text is what its key says.
 */

import { getAssetPath } from '@stencil/core';

import { languageOf } from './locale';
import { perPlatform, Platform, service } from './platform';
import { CATALOGUES, TextKey } from './texts';

export type { TextKey } from './texts';

export type Params = Record<string, string | number>;

type Stem<Key> = Key extends `${infer Found}.other` ? Found : never;

/** The stem of keys that come in pairs: `stem.one` and `stem.other`. */
export type CountKey = Stem<TextKey>;

const PREFIX = 'limepkg_email.';
const FALLBACK = 'en';

/** The texts by key without the prefix. */
export type Catalogue = Record<string, string>;

export class Texts {
  private own: Catalogue = {};
  private loading?: Promise<void>;

  constructor(
    private readonly platform: Platform | undefined,
    readonly language: string,
    private readonly load: (language: string) => Promise<Catalogue> = loadCatalogue,
  ) {}

  /**
   * Settled once the texts are there; the host's are there at once. It never fails; texts that could
   * not be fetched are fetched again for the next that waits for them.
   */
  get ready(): Promise<void> {
    this.loading ??= this.hostTranslates() ? Promise.resolve() : this.fetch();
    return this.loading;
  }

  /** Give the text of a key, with `{name}` replaced by the parameter of that name. */
  get(key: TextKey, params: Params = {}): string {
    const known = this.fromHost(key, params) ?? this.own[key] ?? inWords(key);
    return known.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
  }

  /** Give the text for a number of things, from the pair `stem.one` and `stem.other`. */
  count(stem: CountKey, count: number, params: Params = {}): string {
    const form = new Intl.PluralRules(this.language).select(count) === 'one' ? 'one' : 'other';
    return this.get(`${stem}.${form}` as TextKey, { count, ...params });
  }

  private fromHost(key: TextKey, params: Params): string | undefined {
    const full = PREFIX + key;
    const found = service(this.platform, 'translate')?.get(full, params);
    // Hosts answer with the key when they do not know it.
    return found && found !== full ? found : undefined;
  }

  private hostTranslates(): boolean {
    return this.fromHost('probe', {}) !== undefined;
  }

  private async fetch(): Promise<void> {
    for (const language of new Set([this.language, FALLBACK])) {
      try {
        this.own = await this.load(language);
        return;
      } catch {
        // The next one will do.
      }
    }
    this.loading = undefined;
  }
}

/** Give the texts of a platform; the same object to all components on it. */
export const textsOf = perPlatform((platform) => new Texts(platform, languageOf(platform)));

async function loadCatalogue(language: string): Promise<Catalogue> {
  const file = CATALOGUES[language];
  if (!file) {
    throw new Error(language);
  }
  // The files lie below the bundle's folder, wherever a host serves it.
  const response = await fetch(getAssetPath(`./translations/${file}`));
  if (!response.ok) {
    throw new Error(String(response.status));
  }
  return (await response.json()) as Catalogue;
}

/** Give the last word of a key as a text: `composer.send_later` says "Send later". */
function inWords(key: TextKey): string {
  const [, words = key] = /(\w+)(?:\.(?:one|other))?$/.exec(key) ?? [];
  return (words.charAt(0).toUpperCase() + words.slice(1)).replaceAll('_', ' ');
}
