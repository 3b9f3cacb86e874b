/** The user's language and time zone: what the host says, else what the page or the browser does. */

import { perPlatform, Platform, service } from './platform';

export interface Locale {
  /** A language with or without a region: `sv`, `en-GB`. */
  language: string;
  /** A name of the IANA database; the browser's own when undefined. */
  timeZone?: string;
}

/** Give the language and time zone of a platform's user. */
export const localeOf = perPlatform((platform): Locale => {
  const session = service(platform, 'state.application')?.getSession?.();
  const page = typeof document === 'undefined' ? undefined : document.documentElement;
  return {
    language: valid(session?.language) ?? valid(page?.lang) ?? valid(browserLanguage()) ?? 'en',
    timeZone: session?.timeZone ?? page?.dataset?.timeZone,
  };
});

/** Give the language alone, without its region: the name of a catalogue. */
export function languageOf(platform: Platform): string {
  return (localeOf(platform).language.split('-')[0] ?? 'en').toLowerCase();
}

function valid(language: string | undefined): string | undefined {
  const name = language?.replace('_', '-');
  try {
    return name && Intl.getCanonicalLocales(name)[0];
  } catch {
    return undefined;
  }
}

function browserLanguage(): string | undefined {
  return typeof navigator === 'undefined' ? undefined : navigator.language;
}
