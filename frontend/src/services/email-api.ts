/**
 * The endpoints of the package by area; each area is a file in `email-api/`. Those that no component
 * calls, `installation` and `receipts`, are not among them, and so not in the bundle.
 */

import { perPlatform } from '../platform';
import { accounts } from './email-api/accounts';
import { administration } from './email-api/administration';
import { Client } from './email-api/client';
import { conversations } from './email-api/conversations';
import { drafts } from './email-api/drafts';
import { feed } from './email-api/feed';
import { messages } from './email-api/messages';
import { oauthApps } from './email-api/oauth-apps';
import { reading } from './email-api/reading';
import { snippets } from './email-api/snippets';
import { tasks } from './email-api/tasks';
import { templates } from './email-api/templates';

const AREAS = {
  accounts,
  administration,
  conversations,
  drafts,
  feed,
  messages,
  oauthApps,
  reading,
  snippets,
  tasks,
  templates,
};

export type EmailApi = { [Area in keyof typeof AREAS]: ReturnType<(typeof AREAS)[Area]> };

/** Give the API of a platform. */
export const emailApi = perPlatform((platform): EmailApi => {
  const client = new Client(platform);
  const made = Object.entries(AREAS).map(([area, make]) => [area, make(client)]);
  return Object.fromEntries(made) as EmailApi;
});
