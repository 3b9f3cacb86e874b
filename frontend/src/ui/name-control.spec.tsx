import { describe, expect, it } from '@stencil/vitest';

import { nameControl } from './name-control';

function element(tag: string, ...inside: HTMLElement[]): HTMLElement {
  const found = document.createElement(tag);
  found.attachShadow({ mode: 'open' }).append(...inside);
  document.body.append(found);
  return found;
}

const moment = (time = 0) => new Promise((resolve) => setTimeout(resolve, time));

describe('a name for a control of lime-elements', () => {
  it('replaces a reference to a label that is not there', async () => {
    const input = document.createElement('input');
    input.setAttribute('aria-labelledby', 'nowhere');
    nameControl('Subject')(element('limel-input-field', input));
    await moment();
    expect(input.getAttribute('aria-label')).toBe('Subject');
    expect(input.hasAttribute('aria-labelledby')).toBe(false);
  });

  it('makes a text box of an editor, in the shadow of a part of it', async () => {
    const editable = document.createElement('div');
    editable.setAttribute('contenteditable', 'true');
    nameControl('Message')(element('limel-text-editor', element('limel-inner', editable)));
    await moment();
    expect(editable.getAttribute('aria-label')).toBe('Message');
    expect(editable.getAttribute('role')).toBe('textbox');
  });

  it('waits for a control that comes later', async () => {
    const field = element('limel-input-field');
    nameControl('Later')(field);
    const input = document.createElement('input');
    await moment(10);
    field.shadowRoot?.append(input);
    await moment(120);
    expect(input.getAttribute('aria-label')).toBe('Later');
  });

  it('does nothing when the element goes', () => {
    expect(() => nameControl('Gone')(undefined)).not.toThrow();
  });
});
