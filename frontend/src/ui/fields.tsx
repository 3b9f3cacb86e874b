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
  maxlength?: number;
}

export interface Choice {
  value: string;
  text: string;
}

interface SuggestFieldProps extends Field {
  name: string;
  value: string;
  suggestions: readonly string[];
  onValue: (value: string, field: HTMLInputElement) => void;
  /** The field was left, or Enter pressed, after something was typed. */
  onLeft?: (value: string, field: HTMLInputElement) => void;
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

/** The types of lime-elements mix its events with native ones, which have no detail. */
function detailOf<Value>(event: Event): Value {
  return (event as CustomEvent<Value>).detail;
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
    maxlength={props.maxlength}
    ref={nameControl(props.label)}
    onChange={(event: Event) => {
      stop(event);
      props.onValue(detailOf(event));
    }}
  />
);

/**
 * A text with suggestions from a long list. It is the browser's own: the list of lime-elements takes
 * the first click beside it for itself, which is the one on the button that saves.
 */
export const SuggestField: FunctionalComponent<SuggestFieldProps> = (props, children) => (
  <div class="suggest" data-field={props.name}>
    <label htmlFor={props.name}>{props.label}</label>
    {children}
    <input
      id={props.name}
      list={`${props.name}-list`}
      aria-label={props.label}
      aria-describedby={`${props.name}-help`}
      aria-invalid={props.error ? 'true' : 'false'}
      autocomplete="off"
      value={props.value}
      disabled={props.disabled}
      onInput={({ target }) => told(target, props.onValue)}
      onChange={({ target }) => told(target, props.onLeft)}
    />
    <datalist id={`${props.name}-list`}>
      {props.suggestions.map((each) => (
        <option value={each} />
      ))}
    </datalist>
    <small id={`${props.name}-help`} class={{ help: true, wrong: Boolean(props.error) }}>
      {props.error || props.help}
    </small>
  </div>
);

function told(target: EventTarget | null, listener: SuggestFieldProps['onLeft']): void {
  const field = target as HTMLInputElement;
  listener?.(field.value, field);
}

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
      onChange={(event: Event) => {
        stop(event);
        props.onValue(detailOf<Choice | undefined>(event)?.value ?? '');
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
    onChange={(event: Event) => {
      stop(event);
      props.onValue(detailOf(event));
    }}
  />
);
