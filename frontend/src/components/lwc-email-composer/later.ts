/** Times at which a message may be sent later, in the user's time zone. */

import { Locale } from '../../locale';

export type PresetName = 'later_today' | 'tomorrow' | 'monday';

export interface Preset {
  name: PresetName;
  at: Date;
}

interface Wall {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const LONGEST = 365 * DAY;
const MORNING = 8;
const EVENING = 18;

/** Give the times that people choose most. */
export function presets(now: Date, locale: Locale): Preset[] {
  const found: Preset[] = [];
  const wall = wallOf(new Date(now.getTime() + 2 * 60 * MINUTE), locale);
  const today = wallOf(now, locale);
  if (wall.day === today.day && wall.hour < EVENING) {
    found.push({ name: 'later_today', at: instantOf({ ...wall, minute: 0 }, locale) });
  }
  const tomorrow = { ...shifted(today, 1), hour: MORNING, minute: 0 };
  found.push({ name: 'tomorrow', at: instantOf(tomorrow, locale) });
  const away = (8 - weekday(today)) % 7 || 7;
  if (away > 1) {
    const monday = { ...shifted(today, away), hour: MORNING, minute: 0 };
    found.push({ name: 'monday', at: instantOf(monday, locale) });
  }
  return found;
}

/** Give an instant as the value of a field for date and time. */
export function asField(instant: Date, locale: Locale): string {
  const { year, month, day, hour, minute } = wallOf(instant, locale);
  const two = (each: number): string => String(each).padStart(2, '0');
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${two(minute)}`;
}

/** Give the instant of a field for date and time; nothing for what is no time. */
export function fromField(value: string, locale: Locale): Date | undefined {
  const parts = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)/.exec(value)?.slice(1).map(Number);
  if (!parts) {
    return undefined;
  }
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts;
  return instantOf({ year, month, day, hour, minute }, locale);
}

/** Tell whether the server takes the time: in the future, within a year. */
export function isPossible(at: Date, now: Date): boolean {
  return at.getTime() > now.getTime() && at.getTime() <= now.getTime() + LONGEST;
}

/** Give the instant at which the clocks of the user's time zone show this. */
function instantOf(wall: Wall, locale: Locale): Date {
  const asUtc = (each: Wall): number =>
    Date.UTC(each.year, each.month - 1, each.day, each.hour, each.minute);
  const wanted = asUtc(wall);
  let found = wanted;
  // The second round settles it where the clocks change between the first guess and the time.
  for (let round = 0; round < 2; round++) {
    found += wanted - asUtc(wallOf(new Date(found), locale));
  }
  return new Date(found);
}

function wallOf(instant: Date, { timeZone }: Locale): Wall {
  const parts = new Intl.DateTimeFormat('en-US', {
    ...(timeZone ? { timeZone } : {}),
    calendar: 'gregory',
    numberingSystem: 'latn',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  }).formatToParts(instant);
  const part = (type: string): number =>
    Number(parts.find((each) => each.type === type)?.value ?? 0);
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
  };
}

function shifted({ year, month, day }: Wall, days: number): Wall {
  const date = new Date(Date.UTC(year, month - 1, day + days));
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: 0,
    minute: 0,
  };
}

function weekday({ year, month, day }: Wall): number {
  return new Date(Date.UTC(year, month - 1, day)).getUTCDay();
}
