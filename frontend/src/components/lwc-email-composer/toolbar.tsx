/** What stands above the text: what can be put into the message. */

import { FunctionalComponent, h } from '@stencil/core';

import { Texts } from '../../translate';
import { FileSources } from './file-sources';
import { Offers } from './offers';
import { Action } from './parts';
import type { Writing } from './writing';

interface MenuProps {
  name: string;
  label: string;
  items: { text: string; value: string }[];
  onChoose: (value: string) => void;
}

const Menu: FunctionalComponent<MenuProps> = ({ name, label, items, onChoose }) =>
  items.length ? (
    <limel-menu
      class={`${name}-menu`}
      items={items}
      openDirection="bottom-start"
      onSelect={(event) => {
        event.stopPropagation();
        onChoose(String(event.detail.value));
      }}
    >
      <button slot="trigger" type="button" class="plain" data-action={name}>
        {label} <span aria-hidden="true">▾</span>
      </button>
    </limel-menu>
  ) : null;

interface ToolbarProps {
  writing: Writing;
  texts: Texts;
  offers: Offers;
  files: FileSources;
}

export const Toolbar: FunctionalComponent<ToolbarProps> = ({ writing, texts, offers, files }) => {
  let input: HTMLInputElement | undefined;
  return (
    <div class="tools" role="toolbar" aria-label={texts.get('composer.tools')}>
      <Menu
        name="templates"
        label={texts.get('composer.templates')}
        items={offers.templates.map((each) => ({ text: each.name, value: String(each.id) }))}
        onChoose={(id) => void offers.insertTemplate(writing, Number(id))}
      />
      <Menu
        name="snippets"
        label={texts.get('composer.snippets')}
        items={offers.snippets.map((each) => ({ text: each.title, value: String(each.id) }))}
        onChoose={(id) => offers.insertSnippet(Number(id))}
      />
      <Action text={texts.get('composer.attach')} name="attach" onPress={() => input?.click()} />
      <input
        ref={(element) => {
          input = element;
        }}
        type="file"
        multiple
        hidden
        tabindex={-1}
        aria-label={texts.get('composer.attach')}
        onChange={(event) => files.picked(event)}
      />
      {(writing.isReply || writing.parent) && (
        <Action
          text={texts.get('composer.from_record')}
          name="record"
          onPress={() => void offers.toggleDocuments(writing)}
        />
      )}
    </div>
  );
};
