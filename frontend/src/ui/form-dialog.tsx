/** The dialogs of our forms: fields, a way out, and the button that goes on. */

import { FunctionalComponent, h } from '@stencil/core';

import { Texts } from '../translate';
import { explain, otherErrors } from './explain';
import { stop } from './fields';

interface FormDialogProps {
  texts: Texts;
  heading: string;
  /** What the button says that goes on. */
  action: string;
  busy: boolean;
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
  <div onChange={stop}>
    <limel-dialog
      open={true}
      heading={props.heading}
      closingActions={{ escapeKey: true, scrimClick: false }}
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
        disabled={props.busy}
        onClick={props.onAction}
      />
    </limel-dialog>
  </div>
);

export const FormError: FunctionalComponent<FormErrorProps> = ({ texts, error, shown }) =>
  error !== undefined && (
    <div class="form-error" role="alert">
      <p>{explain(error, texts)}</p>
      {otherErrors(error, shown).map((each) => (
        <p>{each}</p>
      ))}
    </div>
  );
