import { FunctionalComponent, h } from '@stencil/core';

import { Person } from '../../services/email-api/accounts';
import { stop } from '../../ui/fields';
import { nameControl } from '../../ui/name-control';
import { chosenPeople, foundPeople, personItem, personOf } from './people';

interface Props {
  label: string;
  help: string;
  error: string;
  /** Ids of the chosen ones. */
  value: number[];
  people: readonly Person[];
  onValue: (ids: number[]) => void;
}

/** Chooses users of the CRM. */
export const PeopleField: FunctionalComponent<Props> = (props) => (
  <limel-picker
    class="field"
    data-field="users"
    label={props.label}
    helperText={props.error || props.help}
    invalid={Boolean(props.error)}
    multiple={true}
    value={props.value.map((each) => personItem(personOf(each, props.people)))}
    searcher={(query) =>
      Promise.resolve(
        foundPeople(
          props.people.filter((each) => !props.value.includes(each.id)),
          query,
        ),
      )
    }
    ref={nameControl(props.label)}
    onChange={(event: Event) => {
      stop(event);
      const { detail } = event as CustomEvent<unknown>;
      props.onValue(chosenPeople(detail, props.people).map((each) => each.id));
    }}
  />
);
