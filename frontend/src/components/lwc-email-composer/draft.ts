/** What of a message is kept on the server, and how it is gone on with. */

import { EmailApi } from '../../services/email-api';
import { Draft, DraftContent } from '../../services/email-api/drafts';
import { Texts } from '../../translate';
import { documentsOf, fromDraft } from './attached';
import { addPeople, draftOf, fromFollowers } from './people';
import type { Writing } from './writing';

/** Give what is stored of a message. */
export function contentOf(writing: Writing): DraftContent {
  const { subject, html, people, attached, account, place } = writing;
  return {
    subject,
    html,
    ...draftOf(people),
    files: documentsOf(attached),
    account: account || null,
    parent: writing.isReply ? null : (place.parent ?? null),
  };
}

/** Tell whether a draft was begun where the message is written; there is one for all objects. */
export function belongsHere({ content: { parent } }: Draft, { place }: Writing): boolean {
  const here = place.parent;
  const same = parent?.limetype === here?.limetype && parent?.id === here?.id;
  return place.conversation > 0 || same;
}

/** Go on with a draft; whoever it names and has left is told of. */
export function applyDraft(writing: Writing, draft: Draft, texts: Texts): void {
  const { subject, html, recipients, followers, files, account } = draft.content;
  const { followers: present = [], own_addresses: own = [] } = writing.opening ?? {};
  writing.saver.takeOver(draft);
  writing.newest = draft.newest_message || writing.newest;
  writing.subject = subject;
  writing.people = addPeople(fromFollowers(present, followers), recipients, own);
  const active = present.filter((each) => each.active).map((each) => each.id);
  const gone = (followers ?? []).filter((each) => !active.includes(each));
  if (gone.length) {
    writing.notes = [texts.count('composer.left', gone.length)];
  }
  if (account && writing.accounts.some((each) => each.id === account)) {
    writing.account = account;
  }
  const documents = files.map((id) => ({
    key: `document-${id}`,
    name: texts.get('composer.document', { id }),
    size: 0,
    document: id,
  }));
  writing.attached = [...documents, ...(draft.uploads ?? []).map(fromDraft)];
  writing.write(html);
}

/** Name the documents of a draft, which has their ids alone. */
export async function nameDocuments(writing: Writing): Promise<void> {
  if (!writing.attached.some((each) => each.document)) {
    return;
  }
  try {
    const known = new Map((await writing.documents()).map((each) => [each.id, each]));
    writing.attached = writing.attached.map((each) => {
      const found = known.get(each.document);
      return found ? { ...each, name: found.filename, size: found.size } : each;
    });
  } catch {
    // They go along without their names being shown.
  }
}

/** Throw away what was written, here and on the server. */
export async function discardDraft(writing: Writing, api: EmailApi): Promise<void> {
  if (!writing.elsewhere) {
    await writing.saver.flush();
    await api.drafts.discard(writing.conversation);
  }
  // What was begun on another object is not what is thrown away here.
  writing.clear();
}
