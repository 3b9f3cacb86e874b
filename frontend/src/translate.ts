/** Texts in the user's language: the host's, ours, and English where neither has them. */

import { getAssetPath } from '@stencil/core';

import { languageOf } from './locale';
import { perPlatform, Platform, service } from './platform';
import { TextKey, TEXTS } from './texts';

export type { TextKey } from './texts';

export type Params = Record<string, string | number>;

type Stem<Key> = Key extends `${infer Found}.other` ? Found : never;

/** The stem of keys that come in pairs: `stem.one` and `stem.other`. */
export type CountKey = Stem<TextKey>;

const PREFIX = 'limepkg_email.';
const OWN_LANGUAGES = ['en', 'sv'];

export class Texts {
  private own: Record<string, string> = {};

  /** Settled once the texts are there; the host's are there at once. */
  readonly ready: Promise<void>;

  constructor(
    private readonly platform: Platform | undefined,
    readonly language: string,
    load: (language: string) => Promise<Record<string, string>> = loadCatalogue,
  ) {
    this.ready = this.needsCatalogue() ? this.fetch(load) : Promise.resolve();
  }

  /** Give the text of a key, with `{name}` replaced by the parameter of that name. */
  get(key: TextKey, params: Params = {}): string {
    const full = PREFIX + key;
    const known = this.fromHost(full, params) ?? this.own[full] ?? TEXTS[key] ?? key;
    return known.replace(/\{(\w+)\}/g, (whole, name: string) => String(params[name] ?? whole));
  }

  /** Give the text for a number of things, from the pair `stem.one` and `stem.other`. */
  count(stem: CountKey, count: number, params: Params = {}): string {
    const form = new Intl.PluralRules(this.language).select(count) === 'one' ? 'one' : 'other';
    return this.get(`${stem}.${form}` as TextKey, { count, ...params });
  }

  private fromHost(key: string, params: Params): string | undefined {
    const found = service(this.platform, 'translate')?.get(key, params);
    // Hosts answer with the key when they do not know it.
    return found && found !== key ? found : undefined;
  }

  private needsCatalogue(): boolean {
    const probe: TextKey = 'probe';
    const bundled = this.language === 'en' || !OWN_LANGUAGES.includes(this.language);
    return !bundled && this.fromHost(PREFIX + probe, {}) === undefined;
  }

  private async fetch(load: (language: string) => Promise<Record<string, string>>): Promise<void> {
    try {
      this.own = await load(this.language);
    } catch {
      // English will do.
      this.own = {};
    }
  }
}

/** Give the texts of a platform; the same object to all components on it. */
export const textsOf = perPlatform((platform) => new Texts(platform, languageOf(platform)));

async function loadCatalogue(language: string): Promise<Record<string, string>> {
  // The bundle's folder lies beside that of the translations, wherever a host serves them.
  const response = await fetch(getAssetPath(`../translations/${language}.json`));
  if (!response.ok) {
    throw new Error(String(response.status));
  }
  return (await response.json()) as Record<string, string>;
}
