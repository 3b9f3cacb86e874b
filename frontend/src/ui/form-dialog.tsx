/** The dialogs of our forms: fields, a way out, and the button that goes on. */

import { FunctionalComponent, h } from '@stencil/core';

import { Texts } from '../translate';
import { explain, fieldError, otherErrors } from './explain';
import { stop } from './fields';

interface FormDialogProps {
  texts: Texts;
  heading: string;
  /** What the button says that goes on. */
  action: string;
  busy: boolean;
  /** Why it could not go on; nothing before it was tried. */
  error: unknown;
  onAction: () => void;
  onCancel: () => void;
}

interface FormErrorProps {
  texts: Texts;
  /** What was thrown; nothing is shown without. */
  error: unknown;
  /** Fields that tell their own errors. */
  shown: readonly string[];
}

export const FormDialog: FunctionalComponent<FormDialogProps> = (props, children) => (
  <div
    onChange={stop}
    onInput={noteTyping}
    onKeyDown={(event) => closeUntouched(event, props.onCancel)}
  >
    <limel-dialog
      open={true}
      heading={props.heading}
      closingActions={{ escapeKey: false, scrimClick: false }}
      onClose={(event) => {
        stop(event);
        props.onCancel();
      }}
    >
      <div class="form">{children}</div>
      <limel-button
        slot="button"
        label={props.texts.get('confirm.cancel')}
        disabled={props.busy}
        onClick={props.onCancel}
      />
      <limel-button
        slot="button"
        primary={true}
        label={props.action}
        loading={props.busy}
        loadingFailed={props.error !== undefined}
        disabled={props.busy}
        onClick={props.onAction}
      />
    </limel-dialog>
  </div>
);

/** Let Escape close what nothing was typed into; the rest only goes with the button that says so. */
function closeUntouched(event: KeyboardEvent, close: () => void): void {
  const isTyped = 'typed' in (event.currentTarget as HTMLElement).dataset;
  if (event.key === 'Escape' && !isTyped && !event.defaultPrevented) {
    close();
  }
}

function noteTyping(event: Event): void {
  (event.currentTarget as HTMLElement).dataset.typed = '';
}

export const FormError: FunctionalComponent<FormErrorProps> = ({ texts, error, shown }) =>
  error !== undefined && (
    <div class="form-error" role="alert">
      {!shown.some((each) => fieldError(error, each) === explain(error, texts)) && (
        <p>{explain(error, texts)}</p>
      )}
      {otherErrors(error, shown).map((each) => (
        <p>{each}</p>
      ))}
    </div>
  );
