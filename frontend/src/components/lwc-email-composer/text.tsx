/** The text of the message: the editor, with what stands above it and opens below it. */

import { FunctionalComponent, h } from '@stencil/core';

import { Texts } from '../../translate';
import { nameControl } from '../../ui/name-control';
import { Wrong } from './fields';
import { FileSources } from './file-sources';
import { Offers } from './offers';
import { SnippetList } from './parts';
import { TextEditing } from './text-editing';
import { Toolbar } from './toolbar';
import type { Writing } from './writing';

const TRIGGERS = ['!' as const];

interface TextProps {
  writing: Writing;
  texts: Texts;
  editing: TextEditing;
  offers: Offers;
  files: FileSources;
}

export const Text: FunctionalComponent<TextProps> = (props) => {
  const { writing, texts, editing, offers, files } = props;
  const { search } = editing;
  const error = writing.problems.text;
  return (
    <div class="text" onPaste={(event) => files.pasted(event)}>
      <Toolbar writing={writing} texts={texts} offers={offers} files={files} />
      <limel-text-editor
        ref={(element) => {
          editing.editor = element;
          nameControl(texts.get('composer.text'), '[contenteditable="true"]')(element);
        }}
        contentType="html"
        language={texts.language === 'sv' ? 'sv' : 'en'}
        value={editing.html}
        placeholder={texts.get('composer.placeholder')}
        allowResize={false}
        disabled={writing.phase === 'sending'}
        invalid={Boolean(error)}
        triggers={TRIGGERS}
        inlineImages={editing.inlineImages}
        onChange={(event) => editing.edited(event)}
        onTriggerStart={(event) => editing.triggered(event)}
        onTriggerChange={(event) => editing.triggered(event)}
        onTriggerStop={(event) => editing.triggered(event)}
      />
      {search.isOpen && search.found.length > 0 && (
        <SnippetList
          snippets={search.found}
          active={search.active}
          texts={texts}
          onTake={(snippet) => void search.take(snippet)}
        />
      )}
      {error && <Wrong sentence={error} />}
    </div>
  );
};
