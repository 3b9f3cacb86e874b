import { Component, Event, EventEmitter, h, Method, Prop, State, VNode } from '@stencil/core';

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { FoundPerson, PeopleQuery } from '../../services/email-api/conversations';
import { Recipient } from '../../services/email-api/messages';
import { TextKey, Texts, textsOf } from '../../translate';
import { Address, isAddress, parseAddresses } from '../../ui/addresses';
import { nameOf, Person, Problem, receivers } from './people';
import { splitTyped } from './typed-addresses';

const PAUSE = 200;
const LIST = 'found';

const PROBLEMS: Record<Problem, TextKey> = {
  invalid: 'composer.person_invalid',
  own: 'composer.person_own',
};

/**
 * Chooses who gets a message: followers are switched on and off, others are found among the people
 * of the CRM or written down.
 */
@Component({
  tag: 'lwc-limepkg-email-recipients',
  styleUrl: 'lwc-limepkg-email-recipients.css',
  shadow: true,
})
export class Recipients {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** Who is there. */
  @Prop() people: Person[] = [];

  /** Beside whom people are searched. */
  @Prop() beside: Pick<PeopleQuery, 'conversation' | 'limetype' | 'id'> = {};

  /** What is wrong with the choice. */
  @Prop() error?: string;

  @Prop() disabled = false;

  @State() private text = '';
  @State() private found: FoundPerson[] = [];
  @State() private proposed: FoundPerson[] = [];
  @State() private active = -1;
  @State() private isOpen = false;

  /** People are added. */
  @Event({ bubbles: false }) addPeople!: EventEmitter<(Address | Recipient)[]>;

  /** Somebody is switched on or off, or taken away: the address. */
  @Event({ bubbles: false }) togglePerson!: EventEmitter<string>;

  private texts!: Texts;
  private timer?: ReturnType<typeof setTimeout>;
  private asked = 0;
  private answered = '';
  private input?: HTMLInputElement;

  async componentWillLoad(): Promise<void> {
    this.texts = textsOf(this.platform);
    await this.texts.ready;
    void this.propose();
  }

  disconnectedCallback(): void {
    clearTimeout(this.timer);
  }

  /** Take what was typed and not finished, before a message is handed in. */
  @Method()
  settle(): Promise<void> {
    this.take();
    return Promise.resolve();
  }

  /** Put the cursor into the field. */
  @Method()
  focusField(): Promise<void> {
    this.input?.focus();
    return Promise.resolve();
  }

  render(): VNode {
    return (
      <div class="recipients">
        <div
          class={{ box: true, wrong: Boolean(this.error) }}
          onClick={(event) => this.enter(event)}
        >
          <span class="label" id="label">
            {this.texts.get('composer.to')}
          </span>
          <ul aria-labelledby="label">{this.people.map((each) => this.chip(each))}</ul>
          {this.field()}
        </div>
        {this.isOpen && this.options().length > 0 && this.list()}
        {this.hint()}
        {this.error && (
          <p class="error" id="error" role="alert">
            {this.error}
          </p>
        )}
        {this.proposals()}
      </div>
    );
  }

  private field(): VNode {
    const options = this.options();
    return (
      <input
        ref={(element) => (this.input = element)}
        type="text"
        role="combobox"
        autocomplete="off"
        autocapitalize="off"
        spellcheck={false}
        aria-label={this.texts.get('composer.add_people')}
        aria-autocomplete="list"
        aria-expanded={String(this.isOpen && options.length > 0)}
        aria-controls={LIST}
        aria-activedescendant={this.active >= 0 ? `option-${this.active}` : undefined}
        aria-describedby={this.error ? 'hint error' : 'hint'}
        aria-invalid={this.error ? 'true' : undefined}
        placeholder={this.people.length ? '' : this.texts.get('composer.add_people')}
        disabled={this.disabled}
        value={this.text}
        onInput={(event) => this.typed((event.target as HTMLInputElement).value)}
        onKeyDown={(event) => this.pressed(event)}
        onPaste={(event) => this.pasted(event)}
        onBlur={() => this.left()}
        onChange={(event) => event.stopPropagation()}
      />
    );
  }

  private chip(each: Person): VNode {
    const { texts } = this;
    const name = nameOf(each);
    const wrong = each.problem && texts.get(PROBLEMS[each.problem]);
    if (!each.follower) {
      return (
        <li key={each.email} class={{ chip: true, chosen: true, invalid: Boolean(wrong) }}>
          <span class="name" title={each.email}>
            {name}
          </span>
          {wrong && <span class="why">{wrong}</span>}
          <button
            type="button"
            class="remove"
            disabled={this.disabled}
            aria-label={texts.get('composer.remove', { name })}
            onClick={() => this.togglePerson.emit(each.email)}
          >
            ×
          </button>
        </li>
      );
    }
    return (
      <li key={each.email} class={{ chip: true, chosen: each.chosen, invalid: Boolean(wrong) }}>
        <button
          type="button"
          class="switch"
          role="switch"
          aria-checked={String(each.chosen)}
          disabled={this.disabled}
          title={`${each.email} – ${texts.get(each.chosen ? 'composer.gets_it' : 'composer.gets_it_not')}`}
          onClick={() => this.togglePerson.emit(each.email)}
        >
          <span class="mark" aria-hidden="true">
            {each.chosen ? '✓' : '+'}
          </span>
          <span class="name">{name}</span>
        </button>
      </li>
    );
  }

  private list(): VNode {
    return (
      <ul class="list" id={LIST} role="listbox" aria-label={this.texts.get('composer.found')}>
        {this.options().map((each, index) => (
          <li
            key={each.email}
            id={`option-${index}`}
            role="option"
            aria-selected={String(index === this.active)}
            // Before the field loses the focus, which would close the list.
            onMouseDown={(event) => {
              event.preventDefault();
              this.pick(each);
            }}
          >
            <span class="name">{each.name || each.email}</span>
            <span class="email">
              {each.name ? each.email : this.texts.get('composer.new_person')}
            </span>
          </li>
        ))}
      </ul>
    );
  }

  private hint(): VNode {
    const count = receivers(this.people).length;
    return (
      <p class="hint" id="hint">
        {count === 0
          ? this.texts.get('composer.nobody_yet')
          : this.texts.count('composer.own_mail', count)}
      </p>
    );
  }

  private proposals(): VNode | null {
    const known = new Set(this.people.map((each) => each.email.toLowerCase()));
    const shown = this.proposed.filter((each) => !known.has(each.email));
    if (!shown.length || this.people.length) {
      return null;
    }
    return (
      <p class="proposals">
        <span>{this.texts.get('composer.proposed')}</span>
        {shown.slice(0, 4).map((each) => (
          <button
            type="button"
            key={each.email}
            disabled={this.disabled}
            title={each.email}
            // What is typed must not be taken for a recipient when one is picked instead.
            onMouseDown={(event) => event.preventDefault()}
            onClick={() => this.pick(each)}
          >
            + {each.name || each.email}
          </button>
        ))}
      </p>
    );
  }

  /** What is found, and the text itself when it is an address that nobody has. */
  private options(): (FoundPerson | Address)[] {
    const [typed] = parseAddresses(this.text);
    const isNew = typed && isAddress(typed.email);
    const known = this.found.some((each) => each.email === typed?.email.toLowerCase());
    return isNew && !known ? [...this.found, typed] : this.found;
  }

  private enter(event: MouseEvent): void {
    if ((event.target as Element).closest('button') === null) {
      this.input?.focus();
    }
  }

  private typed(typed: string): void {
    const { finished, rest } = splitTyped(typed);
    if (finished !== undefined) {
      // Not by key: phones give none, and what is typed fast or dropped comes in one piece.
      this.text = finished;
      this.take();
      this.show(rest);
    } else {
      this.text = typed;
    }
    this.active = -1;
    this.isOpen = true;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.search(), PAUSE);
  }

  private async search(): Promise<void> {
    const asked = ++this.asked;
    const q = this.text.trim();
    if (!q) {
      this.found = [];
      return;
    }
    try {
      const query = { q: q.slice(0, 200), ...this.beside };
      const { items } = await emailApi(this.platform).conversations.people(query);
      if (asked === this.asked) {
        this.found = items;
        this.answered = q;
      }
    } catch {
      // Addresses can be written down without the search.
      this.found = [];
    }
  }

  private async propose(): Promise<void> {
    const { conversation, limetype, id } = this.beside;
    if (conversation || !limetype) {
      return;
    }
    try {
      const found = await emailApi(this.platform).conversations.people({ limetype, id });
      this.proposed = found.items;
    } catch {
      this.proposed = [];
    }
  }

  private pressed(event: KeyboardEvent): void {
    const options = this.isOpen ? this.options() : [];
    const chosen = options[this.active];
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const step = event.key === 'ArrowDown' ? 1 : -1;
      this.isOpen = true;
      this.active = options.length
        ? (this.active + step + (this.active < 0 && step < 0 ? 1 : 0) + options.length) %
          options.length
        : -1;
      event.preventDefault();
    } else if (event.key === 'Escape' && this.isOpen && options.length) {
      this.isOpen = false;
      event.stopPropagation();
    } else if (event.key === 'Enter' && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      this.take(chosen);
    } else if (event.key === 'Backspace' && !this.text) {
      this.takeBack();
    }
  }

  private takeBack(): void {
    const last = this.people.at(-1);
    if (last && !last.follower) {
      this.togglePerson.emit(last.email);
    }
  }

  private take(chosen?: FoundPerson | Address): void {
    if (chosen) {
      this.pick(chosen);
      return;
    }
    if (this.text.trim()) {
      const [first, ...others] = this.found;
      const isFor = this.answered === this.text.trim() && !this.text.includes('@');
      // What is typed is a name: the only one that fits is meant.
      const meant = isFor && first && !others.length ? [asRecipient(first)] : undefined;
      this.addPeople.emit(meant ?? parseAddresses(this.text));
    }
    this.empty();
  }

  private pick(person: FoundPerson | Address): void {
    this.addPeople.emit([asRecipient(person)]);
    this.empty();
    this.input?.focus();
  }

  private pasted(event: ClipboardEvent): void {
    const text = event.clipboardData?.getData('text/plain') ?? '';
    const addresses = parseAddresses(text);
    if (addresses.length > 1 || (addresses[0] && isAddress(addresses[0].email))) {
      event.preventDefault();
      // What was typed before is somebody, too.
      this.addPeople.emit([...parseAddresses(this.text), ...addresses]);
      this.empty();
    }
  }

  private left(): void {
    this.isOpen = false;
    this.take();
  }

  private empty(): void {
    clearTimeout(this.timer);
    this.asked += 1;
    this.show('');
    this.found = [];
    this.active = -1;
    this.isOpen = false;
  }

  private show(text: string): void {
    this.text = text;
    if (this.input) {
      // What was typed since the last rendering is unknown to the next one.
      this.input.value = text;
    }
  }
}

function asRecipient(person: FoundPerson | Address): Recipient {
  const { email, name } = person;
  return 'limetype' in person && person.limetype
    ? { email, name, limetype: person.limetype, id: person.id }
    : { email, name };
}
