/** The values that a template can have, to put in where the cursor is. */

import { FunctionalComponent, h } from '@stencil/core';

import { PlaceholderGroup } from '../../services/email-api/templates';
import { Texts } from '../../translate';
import { stop } from '../../ui/fields';

interface PlaceholdersProps {
  texts: Texts;
  groups: readonly PlaceholderGroup[];
  /** Whether what is inserted shows only where there is a value. */
  onlyIfThere: boolean;
  onOnlyIfThere: (only: boolean) => void;
  onInsert: (name: string) => void;
}

export const Placeholders: FunctionalComponent<PlaceholdersProps> = (props) => {
  const { texts, groups, onInsert } = props;
  return (
    <details class="placeholders" open={true}>
      <summary>{texts.get('templates.placeholders')}</summary>
      <p class="quiet">{texts.get('templates.placeholders.help')}</p>
      <label class="only">
        <input
          type="checkbox"
          checked={props.onlyIfThere}
          onChange={(event) => {
            stop(event);
            props.onOnlyIfThere((event.target as HTMLInputElement).checked);
          }}
        />
        {texts.get('templates.placeholders.only_if_there')}
      </label>
      <div class="groups">
        {groups.map((group) => (
          <div class="group" role="group" aria-label={group.explanation}>
            <p class="section">{group.explanation}</p>
            <ul>
              {group.values.map((each) => (
                <li>
                  <button
                    type="button"
                    class="insert"
                    data-name={each.name}
                    // The cursor has to stay where the text goes.
                    onMouseDown={(event) => event.preventDefault()}
                    onClick={() => onInsert(each.name)}
                  >
                    <code>{`{{ ${each.name} }}`}</code>
                    <span>{each.explanation}</span>
                    <span class="quiet">
                      {texts.get('templates.placeholders.example', { example: each.example })}
                    </span>
                  </button>
                </li>
              ))}
            </ul>
          </div>
        ))}
      </div>
    </details>
  );
};
