import { FunctionalComponent, h } from '@stencil/core';

import { Person } from '../../services/email-api/accounts';
import { Texts } from '../../translate';
import { SuggestField } from '../../ui/fields';
import { foundPerson, personLabel, personOf } from './people';

interface Props {
  texts: Texts;
  error: string;
  /** Ids of the chosen ones. */
  value: number[];
  people: readonly Person[];
  onValue: (ids: number[]) => void;
}

/** Chooses users of the CRM: from the list as soon as one is named, else when the field is left. */
export const PeopleField: FunctionalComponent<Props> = (props) => {
  const text = props.texts;
  const others = props.people.filter((each) => !props.value.includes(each.id));
  const add = (typed: string, field: HTMLInputElement, whole: boolean): void => {
    const person = foundPerson(others, typed, whole);
    if (person) {
      field.value = '';
      props.onValue([...props.value, person.id]);
    }
  };
  return (
    <SuggestField
      name="users"
      label={text.get('accounts.users')}
      help={text.get('accounts.users_help')}
      error={props.error}
      value=""
      suggestions={others.map(personLabel)}
      onValue={(typed, field) => add(typed, field, true)}
      onLeft={(typed, field) => add(typed, field, false)}
    >
      <ul class="chosen">
        {props.value.map((id) => {
          const name = personLabel(personOf(id, props.people));
          return (
            <li key={id}>
              {name}
              <button
                type="button"
                aria-label={text.get('accounts.remove_user', { name })}
                onClick={() => props.onValue(props.value.filter((each) => each !== id))}
              >
                ×
              </button>
            </li>
          );
        })}
      </ul>
    </SuggestField>
  );
};
