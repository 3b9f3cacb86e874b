/** What stands at the end of the form: send now or later, or throw away. */

import { FunctionalComponent, h } from '@stencil/core';

import { Locale } from '../../locale';
import { TextKey, Texts } from '../../translate';
import { exactDate } from '../../ui/dates';
import { Wrong } from './fields';
import { asField, fromField, PresetName, presets } from './later';
import { Action } from './parts';
import { receivers } from './people';
import type { Writing } from './writing';

const PRESETS: Record<PresetName, TextKey> = {
  later_today: 'composer.later_today',
  tomorrow: 'composer.tomorrow',
  monday: 'composer.monday',
};

interface SendRowProps {
  writing: Writing;
  texts: Texts;
  locale: Locale;
  /** A time of one's own is being chosen. */
  scheduling: boolean;
  onSend: () => void;
  onSchedule: (scheduling: boolean) => void;
  onTime: (at: Date | undefined) => void;
}

export const SendRow: FunctionalComponent<SendRowProps> = (props) => {
  const { writing, texts, locale, scheduling, onSchedule, onTime } = props;
  const busy = writing.phase === 'sending';
  return (
    <footer>
      {scheduling && (
        <Schedule
          writing={writing}
          texts={texts}
          locale={locale}
          onTime={onTime}
          onCancel={() => onSchedule(false)}
        />
      )}
      <div class="split">
        <button
          type="button"
          class="primary send"
          disabled={busy}
          title={texts.get('composer.shortcut')}
          onClick={props.onSend}
        >
          {sendLabel(writing, texts)}
        </button>
        {!busy && (
          <Later texts={texts} locale={locale} onTime={onTime} onOther={() => onSchedule(true)} />
        )}
      </div>
      <span class="quiet shortcut">{texts.get('composer.shortcut')}</span>
      <Action
        text={texts.get('composer.discard')}
        name="discard"
        disabled={busy}
        onPress={() => void writing.discard()}
      />
    </footer>
  );
};

function sendLabel(writing: Writing, texts: Texts): string {
  const count = receivers(writing.people).length;
  if (writing.phase === 'sending') {
    return texts.get('composer.handing_in');
  }
  return count > 1 ? texts.count('composer.send_to', count) : texts.get('composer.send');
}

interface LaterProps {
  texts: Texts;
  locale: Locale;
  onTime: (at: Date) => void;
  onOther: () => void;
}

/** The times that people choose most. */
const Later: FunctionalComponent<LaterProps> = ({ texts, locale, onTime, onOther }) => {
  const times = presets(new Date(), locale).map(({ name, at }) => ({
    text: texts.get(PRESETS[name]),
    secondaryText: exactDate(at, locale),
    value: at.toISOString(),
  }));
  const other = { text: texts.get('composer.choose_time'), icon: 'calendar', value: '' };
  return (
    <limel-menu
      class="later-menu"
      items={[...times, other]}
      openDirection="top-start"
      onSelect={(event) => {
        event.stopPropagation();
        const value = String(event.detail.value);
        if (value) {
          onTime(new Date(value));
        } else {
          onOther();
        }
      }}
    >
      <button
        slot="trigger"
        type="button"
        class="primary"
        aria-label={texts.get('composer.send_later')}
        title={texts.get('composer.send_later')}
      >
        <span aria-hidden="true">▾</span>
      </button>
    </limel-menu>
  );
};

interface ScheduleProps {
  writing: Writing;
  texts: Texts;
  locale: Locale;
  onTime: (at: Date | undefined) => void;
  onCancel: () => void;
}

/** A date and a time of one's own choice. */
const Schedule: FunctionalComponent<ScheduleProps> = (props) => {
  const { writing, texts, locale } = props;
  let field: HTMLInputElement | undefined;
  const [first] = presets(new Date(), locale).slice(-1);
  const error = writing.problems.time;
  return (
    <div class="schedule">
      <label>
        <span class="label">{texts.get('composer.send_at')}</span>
        <input
          ref={(element) => {
            field = element;
          }}
          type="datetime-local"
          name="send-at"
          min={asField(new Date(), locale)}
          value={first ? asField(first.at, locale) : ''}
          onChange={(event) => event.stopPropagation()}
        />
      </label>
      <Action
        text={texts.get('composer.schedule')}
        name="schedule"
        kind="primary"
        onPress={() => props.onTime(fromField(field?.value ?? '', locale))}
      />
      <Action text={texts.get('confirm.cancel')} name="no-schedule" onPress={props.onCancel} />
      {error && <Wrong sentence={error} />}
    </div>
  );
};
