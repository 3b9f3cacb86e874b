/** Instants as people say them, in the user's language and time zone. */

import { Locale } from '../locale';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Say how long ago (or from now) an instant is, up to a week; then its date. */
export function relativeDate(instant: string | Date, locale: Locale, now = new Date()): string {
  const date = new Date(instant);
  const away = date.getTime() - now.getTime();
  const size = Math.abs(away);
  if (Number.isNaN(size)) {
    return '';
  }
  const words = new Intl.RelativeTimeFormat(locale.language, { numeric: 'auto' });
  if (size < MINUTE) {
    return words.format(0, 'second');
  }
  if (size < HOUR) {
    return words.format(Math.trunc(away / MINUTE), 'minute');
  }
  const days = dayNumber(date, locale) - dayNumber(now, locale);
  if (days === 0) {
    return words.format(Math.trunc(away / HOUR), 'hour');
  }
  return Math.abs(days) < 7 ? words.format(days, 'day') : shortDate(date, locale, now);
}

/** Give the date, with its year unless that is the present one. */
export function shortDate(instant: string | Date, locale: Locale, now = new Date()): string {
  const date = new Date(instant);
  const year = (each: Date): string => format(each, locale, { year: 'numeric' });
  const shown = year(date) === year(now) ? undefined : 'numeric';
  return format(date, locale, { day: 'numeric', month: 'short', year: shown });
}

/** Give date and time in full, for titles and for times that must be certain. */
export function exactDate(instant: string | Date, locale: Locale): string {
  return format(new Date(instant), locale, { dateStyle: 'medium', timeStyle: 'short' });
}

/** The calendar day in the user's time zone, so that yesterday begins at their midnight. */
function dayNumber(date: Date, locale: Locale): number {
  const parts = new Intl.DateTimeFormat('en-CA', {
    ...zone(locale),
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).format(date);
  return Math.round(Date.parse(`${parts}T00:00:00Z`) / DAY);
}

function format(date: Date, locale: Locale, options: Intl.DateTimeFormatOptions): string {
  return new Intl.DateTimeFormat(locale.language, { ...zone(locale), ...options }).format(date);
}

function zone(locale: Locale): { timeZone?: string } {
  return locale.timeZone ? { timeZone: locale.timeZone } : {};
}
