/** Asking before something that cannot be taken back. */

import { Platform, service } from '../platform';
import { textsOf } from '../translate';

export interface Question {
  title: string;
  /** What will happen, in full: what is deleted with it, who notices. */
  message: string;
  /** The verb of what happens: "Delete", not "OK". */
  action: string;
}

/** Ask the user in the host's dialog; gives whether they agreed. */
export async function confirmAction(platform: Platform, question: Question): Promise<boolean> {
  const notifications = service(platform, 'notifications');
  if (!notifications) {
    return window.confirm(`${question.title}\n\n${question.message}`);
  }
  const cancel = textsOf(platform).get('confirm.cancel');
  const { title, message, action } = question;
  return Boolean(await notifications.confirm(title, message, action, cancel));
}
