/** What the author is told above and below the form, and what can be done about it. */

import { FunctionalComponent, h, VNode } from '@stencil/core';

import { Locale } from '../../locale';
import { Texts } from '../../translate';
import { explain } from '../../ui/explain';
import { Action, Guard, Notice } from './parts';
import { problemsOf } from './problems';
import { missingValues } from './wording';
import { Writing } from './writing';

interface PartProps {
  writing: Writing;
  texts: Texts;
}

/** The composer could not be opened. */
export const Unavailable: FunctionalComponent<PartProps> = ({ writing, texts }) => {
  return (
    <Notice kind="error" name="unavailable" urgent>
      <span>{explain(writing.error, texts)}</span>
      <div class="actions">
        <Action
          text={texts.get('composer.retry')}
          name="reload"
          onPress={() => void writing.load()}
        />
      </div>
    </Notice>
  );
};

/** Mails of the message sent last that did not arrive. */
export const Failed: FunctionalComponent<PartProps> = ({ writing, texts }) => {
  const { failed } = writing.aftermath;
  if (!failed.length) {
    return null;
  }
  return (
    <Notice kind="error" name="failed" urgent>
      <strong>{texts.count('composer.failed', failed.length)}</strong>
      <ul>
        {failed.map((each) => (
          <li key={String(each.id)}>
            <b>{each.name || each.email}</b> {each.reason}
          </li>
        ))}
      </ul>
      <div class="actions">
        <Action
          text={texts.get('composer.resend')}
          name="resend"
          kind="primary"
          onPress={() => void writing.resend()}
        />
        <Action
          text={texts.get('composer.dismiss')}
          name="dismiss-failed"
          onPress={() => writing.aftermath.dismiss()}
        />
      </div>
    </Notice>
  );
};

/** What stands in the way of writing: no network, another window, another draft. */
export const Hindrances: FunctionalComponent<PartProps & { offline: boolean }> = ({
  writing,
  texts,
  offline,
}) => {
  const { newer } = writing.saver;
  const found: VNode[] = [];
  if (offline) {
    found.push(
      <Notice kind="warning" name="offline">
        {texts.get('composer.offline')}
      </Notice>,
    );
  }
  if (writing.saver.state === 'conflict') {
    found.push(
      <Notice kind="warning" name="conflict" urgent>
        <span>{texts.get(newer ? 'composer.conflict' : 'composer.conflict_gone')}</span>
        <div class="actions">
          <Action
            text={texts.get('composer.keep_mine')}
            name="mine"
            kind="primary"
            onPress={() => void writing.saver.keepMine()}
          />
          <Action
            text={texts.get(newer ? 'composer.take_other' : 'composer.begin_anew')}
            name="theirs"
            onPress={() => writing.takeOver(newer)}
          />
        </div>
      </Notice>,
    );
  }
  const { state, error } = writing.saver;
  if (state === 'failed' && error && !error.isTemporary) {
    found.push(
      <Notice kind="warning" name="unsaved">
        {texts.get('composer.not_saved')}. {explain(error, texts)}
      </Notice>,
    );
  }
  const { elsewhere } = writing;
  if (elsewhere) {
    found.push(
      <Notice kind="info" name="elsewhere">
        <span>
          {texts.get('composer.elsewhere', {
            subject: elsewhere.content.subject || texts.get('composer.without_subject'),
          })}
        </span>
        <div class="actions">
          <Action
            text={texts.get('composer.continue_here')}
            name="continue"
            onPress={() => writing.continueElsewhere()}
          />
          <Action
            text={texts.get('composer.throw_away')}
            name="overwrite"
            onPress={() => writing.overwriteElsewhere()}
          />
        </div>
      </Notice>,
    );
  }
  return found;
};

interface OutcomeProps extends PartProps {
  locale: Locale;
  onAnyway: () => void;
  onRetry: () => void;
}

/** What is to be looked at before the message goes, and why it did not. */
export const Doubts: FunctionalComponent<OutcomeProps> = (props) => {
  const { writing, texts, locale } = props;
  const found: VNode[] = [];
  const missing = missingValues(`${writing.subject} ${writing.html}`);
  if (missing.length) {
    found.push(
      <Notice kind="warning" name="missing">
        {texts.get('composer.missing', { names: missing.join(', ') })}
      </Notice>,
    );
  }
  if (writing.notes.length) {
    found.push(
      <Notice kind="warning" name="recipients" urgent>
        {writing.notes.map((each) => (
          <p>{each}</p>
        ))}
      </Notice>,
    );
  }
  if (writing.arrived.length) {
    found.push(
      <Guard
        arrived={writing.arrived}
        texts={texts}
        locale={locale}
        onSend={props.onAnyway}
        onLook={() => writing.lookFirst()}
      />,
    );
  }
  const { error } = writing;
  if (error) {
    const { parts, other } = problemsOf(error);
    const isShown = Object.keys(parts).length > 0 && !other.length;
    found.push(
      <Notice kind="error" name="error" urgent>
        <strong>{texts.get('composer.not_sent')}</strong>{' '}
        <span>{isShown ? texts.get('composer.see_fields') : explain(error, texts)}</span>
        {other.map((each) => (
          <p>{each}</p>
        ))}
        <div class="actions">
          <Action
            text={texts.get('composer.retry')}
            name="retry"
            kind="primary"
            onPress={props.onRetry}
          />
        </div>
      </Notice>,
    );
  }
  return found;
};
