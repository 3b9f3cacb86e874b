/** Telling the user what happened. */

import { Platform, service } from '../platform';
import { textsOf } from '../translate';
import { explain } from './explain';

/** Say shortly that something was done. */
export function notify(platform: Platform, message: string): void {
  service(platform, 'notifications')?.notify(message);
}

/**
 * Say what went wrong, where no field of a form can show it; gives the sentence.
 *
 * `title` says what was not done: "The account was not saved".
 */
export function notifyError(platform: Platform, title: string, error: unknown): string {
  const sentence = explain(error, textsOf(platform));
  alert(platform, title, sentence);
  return sentence;
}

/** Say why something is not done. */
export function alert(platform: Platform, title: string, sentence: string): void {
  const notifications = service(platform, 'notifications');
  void Promise.resolve(notifications?.alert(title, sentence)).catch(() => undefined);
}
