/** Fields of our forms: elements of lime-elements with names, errors and no stray events. */

import { FunctionalComponent, h } from '@stencil/core';

import { nameControl } from './name-control';

interface Field {
  label: string;
  /** Said below the field unless there is an error. */
  help?: string;
  /** What is wrong with the value; empty if nothing is. */
  error?: string;
  required?: boolean;
  disabled?: boolean;
  /** To find the field by, in styles and tests. */
  name?: string;
}

interface TextFieldProps extends Field {
  value: string;
  onValue: (value: string) => void;
  type?: 'text' | 'email' | 'password' | 'search' | 'textarea';
  completions?: string[];
  maxlength?: number;
}

export interface Choice {
  value: string;
  text: string;
}

interface SelectFieldProps extends Field {
  value: string;
  options: Choice[];
  onValue: (value: string) => void;
}

interface SwitchFieldProps extends Field {
  value: boolean;
  onValue: (value: boolean) => void;
}

/** Keep an event of an inner element from looking like one of ours. */
export function stop(event: Event): void {
  event.stopPropagation();
}

export const TextField: FunctionalComponent<TextFieldProps> = (props) => (
  <limel-input-field
    class="field"
    data-field={props.name}
    label={props.label}
    value={props.value}
    type={props.type ?? 'text'}
    helperText={props.error || props.help}
    invalid={Boolean(props.error)}
    required={props.required}
    disabled={props.disabled}
    completions={props.completions ?? []}
    maxlength={props.maxlength}
    ref={nameControl(props.label)}
    onChange={(event) => {
      stop(event);
      props.onValue(event.detail);
    }}
  />
);

export const SelectField: FunctionalComponent<SelectFieldProps> = (props) => {
  const chosen = props.options.find((each) => each.value === props.value);
  // The name that is set replaces the text inside, so it has to tell the value as well.
  const name = chosen?.text ? `${props.label}: ${chosen.text}` : props.label;
  return (
    <limel-select
      class="field"
      data-field={props.name}
      label={props.label}
      value={chosen}
      options={props.options}
      helperText={props.error || props.help}
      invalid={Boolean(props.error)}
      required={props.required}
      disabled={props.disabled}
      ref={nameControl(name, 'button')}
      onChange={(event) => {
        stop(event);
        const option = event.detail;
        if (!Array.isArray(option)) {
          props.onValue(option?.value ?? '');
        }
      }}
    />
  );
};

export const SwitchField: FunctionalComponent<SwitchFieldProps> = (props) => (
  <limel-switch
    class="field"
    data-field={props.name}
    label={props.label}
    value={props.value}
    helperText={props.error || props.help}
    invalid={Boolean(props.error)}
    disabled={props.disabled}
    onChange={(event) => {
      stop(event);
      props.onValue(event.detail);
    }}
  />
);
