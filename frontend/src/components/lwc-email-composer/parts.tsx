/** Parts of the composer that only show something. */

import { FunctionalComponent, h } from '@stencil/core';

import { Locale } from '../../locale';
import { Arrived } from '../../services/email-api/messages';
import { Snippet } from '../../services/email-api/snippets';
import { Texts } from '../../translate';
import { exactDate, relativeDate } from '../../ui/dates';
import { Aftermath } from './aftermath';
import { DraftSaver } from './draft-saver';

interface ActionProps {
  text: string;
  onPress: () => void;
  kind?: 'plain' | 'primary';
  disabled?: boolean;
  name?: string;
}

/** A button of a notice. */
export const Action: FunctionalComponent<ActionProps> = (props) => (
  <button
    type="button"
    class={props.kind ?? 'plain'}
    data-action={props.name}
    disabled={props.disabled}
    onClick={props.onPress}
  >
    {props.text}
  </button>
);

interface NoticeProps {
  kind: 'info' | 'warning' | 'error';
  name: string;
  /** Interrupts a screen reader; else it is said when there is a pause. */
  urgent?: boolean;
}

/** Something that the author should know, with what can be done. */
export const Notice: FunctionalComponent<NoticeProps> = ({ kind, name, urgent }, children) => (
  <div class={`notice ${kind}`} data-notice={name} key={name} role={urgent ? 'alert' : 'status'}>
    {children}
  </div>
);

/** Whether the draft is stored. */
export const SaveStatus: FunctionalComponent<{ saver: DraftSaver; texts: Texts }> = ({
  saver,
  texts,
}) => {
  const said: Record<DraftSaver['state'], string> = {
    unchanged: '',
    waiting: texts.get('composer.saving'),
    saving: texts.get('composer.saving'),
    saved: texts.get('composer.saved'),
    failed: texts.get('composer.not_saved'),
    conflict: texts.get('composer.changed_elsewhere'),
    held: texts.get('composer.not_saved'),
  };
  return (
    <span
      class={{ status: true, bad: saver.state === 'failed' || saver.state === 'conflict' }}
      role="status"
      data-save={saver.state}
    >
      {said[saver.state]}
    </span>
  );
};

interface GuardProps {
  arrived: Arrived[];
  texts: Texts;
  locale: Locale;
  onSend: () => void;
  onLook: () => void;
}

/** Messages that came while this one was written. */
export const Guard: FunctionalComponent<GuardProps> = ({
  arrived,
  texts,
  locale,
  onSend,
  onLook,
}) => (
  <Notice kind="warning" name="arrived" urgent>
    <strong>{texts.count('composer.arrived', arrived.length)}</strong>
    <ul>
      {arrived.map((each) => (
        <li key={String(each.id)}>
          <b>{each.author}</b>{' '}
          <time title={exactDate(each.date, locale)}>{relativeDate(each.date, locale)}</time>
          <q>{each.preview}</q>
        </li>
      ))}
    </ul>
    <div class="actions">
      <Action text={texts.get('composer.look_first')} name="look" kind="primary" onPress={onLook} />
      <Action text={texts.get('composer.send_anyway')} name="anyway" onPress={onSend} />
    </div>
  </Notice>
);

interface SentBarProps {
  aftermath: Aftermath;
  texts: Texts;
  locale: Locale;
  onUndo: () => void;
  onDismiss: () => void;
}

/** The message that was just sent, while it can be taken back. */
export const SentBar: FunctionalComponent<SentBarProps> = (props) => {
  const { aftermath, texts, locale } = props;
  const { sent, secondsLeft } = aftermath;
  if (!sent) {
    return null;
  }
  const said = sent.at
    ? texts.get('composer.scheduled', { time: exactDate(sent.at, locale) })
    : texts.get(secondsLeft ? 'composer.sending' : 'composer.sent');
  return (
    <div class="notice sent" data-notice="sent" key="sent">
      <span role="status">{said}</span>
      {(sent.at || secondsLeft > 0) && (
        <div class="actions">
          {secondsLeft > 0 && (
            <span class="seconds" aria-hidden="true">
              {secondsLeft}
            </span>
          )}
          <Action
            text={texts.get(sent.at ? 'composer.cancel_scheduled' : 'composer.undo')}
            name="undo"
            kind="primary"
            disabled={sent.takingBack}
            onPress={props.onUndo}
          />
          {sent.at && (
            <Action text={texts.get('composer.dismiss')} name="dismiss" onPress={props.onDismiss} />
          )}
        </div>
      )}
    </div>
  );
};

interface SnippetListProps {
  snippets: Snippet[];
  active: number;
  texts: Texts;
  onTake: (snippet: Snippet) => void;
}

/** The snippets that fit what was typed after `!`. */
export const SnippetList: FunctionalComponent<SnippetListProps> = (props) => (
  <div class="snippets" key="snippets">
    <ul role="listbox" aria-label={props.texts.get('composer.snippets')}>
      {props.snippets.map((each, index) => (
        <li
          key={String(each.id)}
          role="option"
          aria-selected={String(index === props.active)}
          onMouseDown={(event) => {
            event.preventDefault();
            props.onTake(each);
          }}
        >
          {each.title}
        </li>
      ))}
    </ul>
    <p role="status">
      {props.texts.get('composer.snippet_chosen', {
        title: props.snippets[props.active]?.title ?? '',
      })}
    </p>
  </div>
);
