/** Where a message belongs. */

import { Context } from '../../platform';
import { ParentReference } from '../../services/email-api/messages';

/** A conversation, or 0 and what a new one hangs on. */
export interface Place {
  conversation: number;
  parent?: ParentReference;
}

/** What a host says of the place. */
export interface Surroundings {
  context?: Context;
  /** The conversation that is answered, where the context is another object. */
  conversation?: number;
  mode?: 'reply' | 'new';
}

/** Give the place that a host means. */
export function placeOf({ context, conversation, mode }: Surroundings): Place {
  const isConversation = context?.limetype === 'conversation';
  const answered = conversation ?? (isConversation ? context.id : undefined);
  if (answered && mode !== 'new') {
    return { conversation: answered };
  }
  const { limetype, id } = isConversation ? (context.parent ?? {}) : (context ?? {});
  return limetype && id ? { conversation: 0, parent: { limetype, id } } : { conversation: 0 };
}
