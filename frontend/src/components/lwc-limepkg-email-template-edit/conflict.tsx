/** Somebody else stored the same template: what differs, and whose text is kept. */

import { FunctionalComponent, h } from '@stencil/core';

import { NewTemplate, Template } from '../../services/email-api/templates';
import { Texts } from '../../translate';

export const FIELDS = ['name', 'purpose', 'language', 'subject', 'body'] as const;

interface ConflictProps {
  texts: Texts;
  draft: NewTemplate;
  newer: Template;
  onTheirs: (newer: Template) => void;
  onMine: (newer: Template) => void;
}

export const Conflict: FunctionalComponent<ConflictProps> = (props) => {
  const { texts, draft, newer } = props;
  const labels: Record<(typeof FIELDS)[number], string> = {
    name: texts.get('templates.name'),
    purpose: texts.get('templates.purpose'),
    language: texts.get('templates.language'),
    subject: texts.get('templates.subject'),
    body: texts.get('templates.body'),
  };
  return (
    <div class="panel failed conflict" role="alert">
      <p class="panel-title">{texts.get('templates.conflict.title')}</p>
      <p>{texts.get('templates.conflict.explanation')}</p>
      <dl>
        {FIELDS.filter((each) => newer[each] !== draft[each]).map((each) => [
          <dt>{labels[each]}</dt>,
          <dd>
            <pre tabindex="0">{newer[each]}</pre>
          </dd>,
        ])}
      </dl>
      <div class="actions">
        <limel-button
          class="theirs"
          label={texts.get('templates.conflict.theirs')}
          onClick={() => props.onTheirs(newer)}
        />
        <limel-button
          class="mine"
          label={texts.get('templates.conflict.mine')}
          onClick={() => props.onMine(newer)}
        />
      </div>
    </div>
  );
};
