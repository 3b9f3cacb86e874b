/** Goes on with a message that was sent and has not left yet. */

import { EmailApi } from '../../services/email-api';
import { TakenBack } from '../../services/email-api/messages';
import { announceChange } from '../../services/unread';
import { Sent } from './aftermath';

import { followChanges, Person } from './people';
import { isEmpty } from './wording';
import type { Writing, WritingOptions } from './writing';

/** Keep the message that was just sent from leaving, and go on writing it; throws if it has left. */
export async function takeBack(
  writing: Writing,
  api: EmailApi,
  { platform, texts }: WritingOptions,
): Promise<void> {
  const { sent } = writing.aftermath;
  const taken = await writing.aftermath.takeBack();
  if (!sent || !taken) {
    return;
  }
  await giveBack(writing, api, sent, taken);
  const { left } = taken;
  writing.notes = left.length ? [texts.count('composer.left_already', left.length)] : [];
  announceChange(platform, { conversation: taken.conversation });
}

async function giveBack(
  writing: Writing,
  api: EmailApi,
  { before, conversationmessage }: Sent,
  { conversation }: TakenBack,
): Promise<void> {
  const writtenSince = isEmpty(writing.html) ? '' : writing.html;
  if (!writing.isReply) {
    // The conversation was begun: what is sent now belongs into it.
    writing.moveTo({ conversation });
  }
  const [opening, found] = await Promise.all([
    api.conversations.open(conversation),
    api.messages.documents([conversationmessage]),
  ]);
  writing.begin(opening);
  const { people } = followChanges(before.people, opening.followers);
  writing.people = people.map((each) => ({ ...each, chosen: wasChosen(each, before.people) }));
  writing.subject = before.subject;
  writing.account = before.account;
  const since = writing.attached;
  writing.attached = [];
  found.flatMap((each) => each.documents).forEach((each) => writing.attachDocument(each));
  writing.attached = [...writing.attached, ...since];
  writing.write(before.html + writtenSince);
  writing.saver.touch();
}

function wasChosen(person: Person, before: readonly Person[]): boolean {
  const email = person.email.toLowerCase();
  return before.some((each) => each.chosen && each.email.toLowerCase() === email);
}
