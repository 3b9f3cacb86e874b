import {
  Component,
  Event,
  EventEmitter,
  h,
  Method,
  Prop,
  State,
  VNode,
  Watch,
} from '@stencil/core';

/** The source of a template: plain text with numbered lines, of which some are marked as wrong. */
@Component({
  tag: 'lwc-limepkg-email-template-source',
  styleUrl: 'lwc-limepkg-email-template-source.css',
  shadow: true,
})
export class TemplateSource {
  /** The text. */
  @Prop() value = '';

  /** What screen readers call it. */
  @Prop() label = '';

  /** Numbers of lines that are wrong, from 1. */
  @Prop() wrong: number[] = [];

  /** Whether the text can only be read. */
  @Prop() readonly = false;

  /** The text has another content. */
  @Event({ bubbles: false }) edited!: EventEmitter<string>;

  @State() private lines = 1;

  private area?: HTMLTextAreaElement;
  private numbers?: HTMLElement;

  componentWillLoad(): void {
    this.count();
  }

  @Watch('value')
  protected count(): void {
    this.lines = this.value.split('\n').length;
  }

  /** Put a text where the cursor is, in place of what is selected. */
  @Method()
  insert(text: string): Promise<void> {
    const area = this.area;
    if (area && !this.readonly) {
      area.focus();
      area.setRangeText(text, area.selectionStart, area.selectionEnd, 'end');
      this.edited.emit(area.value);
    }
    return Promise.resolve();
  }

  /** Select a line and bring it into view. */
  @Method()
  goToLine(line: number): Promise<void> {
    const before = this.value.split('\n').slice(0, line - 1);
    const start = before.join('\n').length + (before.length ? 1 : 0);
    const text = this.value.split('\n')[line - 1] ?? '';
    this.area?.focus();
    this.area?.setSelectionRange(start, start + text.length);
    if (this.area) {
      const height = this.area.scrollHeight / Math.max(this.lines, 1);
      this.area.scrollTop = Math.max(0, (line - 4) * height);
    }
    return Promise.resolve();
  }

  render(): VNode {
    return (
      <div class={{ source: true, invalid: this.wrong.length > 0 }}>
        <div class="numbers" aria-hidden="true" ref={(element) => (this.numbers = element)}>
          {Array.from({ length: this.lines }, (_, index) => (
            <div class={{ wrong: this.wrong.includes(index + 1) }}>{index + 1}</div>
          ))}
        </div>
        <textarea
          aria-label={this.label}
          aria-invalid={this.wrong.length ? 'true' : 'false'}
          value={this.value}
          readOnly={this.readonly}
          wrap="off"
          spellcheck={false}
          autocapitalize="off"
          ref={(element) => (this.area = element)}
          onInput={() => this.edited.emit(this.area?.value ?? '')}
          onChange={(event) => event.stopPropagation()}
          onScroll={() => this.follow()}
        />
      </div>
    );
  }

  private follow(): void {
    if (this.numbers && this.area) {
      this.numbers.scrollTop = this.area.scrollTop;
    }
  }
}
