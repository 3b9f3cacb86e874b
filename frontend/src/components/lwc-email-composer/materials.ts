/** What a message can be made of: documents of the record, and templates. */

import { EmailApi } from '../../services/email-api';
import { SendingAccount } from '../../services/email-api/accounts';
import { MessageDocument } from '../../services/email-api/messages';
import { Rendered, Template } from '../../services/email-api/templates';
import { Person, receivers } from './people';
import { Place } from './place';

/** Messages whose documents are offered, the newest first. */
const MOST_MESSAGES = 200;

/** Give the documents of the messages of a conversation, or of an object. */
export async function documentsAt(api: EmailApi, place: Place): Promise<MessageDocument[]> {
  const { conversation, parent } = place;
  const record = conversation ? { limetype: 'conversation', id: conversation } : parent;
  if (!record) {
    return [];
  }
  const { items } = await api.feed.read(record.limetype, record.id, { limit: MOST_MESSAGES });
  const messages = items.map((each) => each.id);
  const found = messages.length ? await api.messages.documents(messages) : [];
  return found.flatMap((each) => each.documents);
}

/** Give the templates for messages: the account's own first, then those in its language. */
export async function templatesFor(
  api: EmailApi,
  account: SendingAccount | undefined,
): Promise<Template[]> {
  const { items } = await api.templates.list({ purpose: 'message', limit: 200 });
  const rank = (each: Template): number => {
    if (each.id === account?.message_template) {
      return 0;
    }
    return each.language === account?.language ? 1 : 2;
  };
  return [...items].sort((a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name));
}

/** Fill a template; with several recipients it is filled for nobody in particular. */
export function filledTemplate(
  api: EmailApi,
  template: number,
  { place, account, people }: { place: Place; account: number; people: readonly Person[] },
): Promise<Rendered> {
  const [only, ...others] = receivers(people);
  const recipient = others.length ? undefined : only;
  return api.templates.render(template, {
    conversation: place.conversation || undefined,
    account: account || undefined,
    recipient: recipient?.email,
    name: recipient?.name || undefined,
  });
}
