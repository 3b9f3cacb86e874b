/** To whom a message goes: followers of the conversation, and people who are added to it. */

import { OpenFollower } from '../../services/email-api/conversations';
import { Recipient } from '../../services/email-api/messages';
import { Address, isAddress } from '../../ui/addresses';

export type Problem = 'invalid' | 'own';

export interface Person {
  email: string;
  name: string;
  /** The id of the follower; 0 for somebody who follows from this message on. */
  follower: number;
  /** Whether the follower gets messages by default. */
  active: boolean;
  /** Whether this message goes to them. */
  chosen: boolean;
  limetype?: string;
  id?: number | null;
  /** Why nothing can be sent to them. */
  problem?: Problem;
}

export interface Target {
  followers: number[];
  recipients: Recipient[];
}

/** Give the followers; `chosen` are those that a draft names, all active ones without it. */
export function fromFollowers(
  followers: readonly OpenFollower[],
  chosen: readonly number[] | null = null,
): Person[] {
  return followers.map(({ id, name, email, active }) => ({
    email,
    name,
    follower: id,
    active,
    chosen: chosen ? chosen.includes(id) : active,
  }));
}

/** Add people, each address once; who is there already is chosen instead. */
export function addPeople(
  people: readonly Person[],
  added: readonly (Address | Recipient)[],
  own: readonly string[],
): Person[] {
  const found = new Map(people.map((each) => [key(each.email), each]));
  for (const each of added) {
    const email = each.email.trim();
    const before = found.get(key(email));
    if (before) {
      found.set(key(email), { ...before, chosen: true, name: before.name || (each.name ?? '') });
    } else if (email) {
      found.set(key(email), newcomer({ ...each, email }, own));
    }
  }
  return [...found.values()];
}

/** Choose a follower or not; somebody who was added is taken away again. */
export function toggle(people: readonly Person[], email: string): Person[] {
  return people.flatMap((each) => {
    if (key(each.email) !== key(email)) {
      return [each];
    }
    return each.follower ? [{ ...each, chosen: !each.chosen }] : [];
  });
}

/** Give those who get the message. */
export function receivers(people: readonly Person[]): Person[] {
  return people.filter((each) => each.chosen && !each.problem);
}

/** Give what a request says; a follower who had left is asked in again by being named. */
export function targetOf(people: readonly Person[]): Target {
  const chosen = receivers(people);
  return {
    followers: chosen.filter((each) => each.follower && each.active).map((each) => each.follower),
    recipients: chosen.filter((each) => !each.follower || !each.active).map(asRecipient),
  };
}

/** Give what a draft keeps: broken addresses as well, and no choice while nobody made one. */
export function draftOf(people: readonly Person[]): {
  followers: number[] | null;
  recipients: Recipient[];
} {
  const followers = people.filter((each) => each.follower);
  const untouched = followers.every((each) => each.chosen === each.active);
  return {
    followers: untouched
      ? null
      : followers.filter((each) => each.chosen).map((each) => each.follower),
    recipients: people.filter((each) => !each.follower).map(asRecipient),
  };
}

/** Bring people in line with who follows now; tells who came and who left. */
export function followChanges(
  people: readonly Person[],
  followers: readonly OpenFollower[],
): { people: Person[]; joined: Person[]; left: Person[] } {
  const now = new Map(fromFollowers(followers).map((each) => [each.follower, each]));
  const byAddress = new Map([...now.values()].map((each) => [key(each.email), each]));
  const left: Person[] = [];
  const kept: Person[] = [];
  for (const each of people) {
    const current = now.get(each.follower) ?? byAddress.get(key(each.email));
    if (current) {
      const leaves = each.follower > 0 && each.chosen && each.active && !current.active;
      kept.push({ ...current, chosen: leaves ? false : each.chosen });
      if (leaves) {
        left.push(each);
      }
    } else if (each.follower) {
      left.push(...(each.chosen ? [each] : []));
    } else {
      kept.push(each);
    }
  }
  const known = new Set(kept.map((each) => key(each.email)));
  const joined = [...now.values()].filter((each) => !known.has(key(each.email)));
  return { people: [...kept, ...joined], joined: joined.filter((each) => each.chosen), left };
}

/** Give what to call somebody. */
export function nameOf({ name, email }: Pick<Person, 'name' | 'email'>): string {
  return name || email;
}

function newcomer(each: Address | Recipient, own: readonly string[]): Person {
  const linked = 'limetype' in each && each.limetype ? each : undefined;
  return {
    email: each.email,
    name: each.name ?? '',
    follower: 0,
    active: false,
    chosen: true,
    ...(linked ? { limetype: linked.limetype, id: linked.id } : {}),
    ...problem(each.email, own),
  };
}

function problem(email: string, own: readonly string[]): { problem?: Problem } {
  if (!isAddress(email)) {
    return { problem: 'invalid' };
  }
  return own.includes(key(email)) ? { problem: 'own' } : {};
}

function asRecipient({ email, name, limetype, id }: Person): Recipient {
  return { email, name, limetype: limetype ?? '', id: limetype ? (id ?? null) : null };
}

function key(email: string): string {
  return email.trim().toLowerCase();
}
