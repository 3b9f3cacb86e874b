import { Component, Event, EventEmitter, h, Prop, State, VNode, Watch } from '@stencil/core';

import { Platform } from '../../platform';
import { emailApi } from '../../services/email-api';
import { PlaceholderGroup, Rendered } from '../../services/email-api/templates';
import { EmailError } from '../../services/email-error';
import { Texts, textsOf } from '../../translate';
import { EMPTY_PAGE, showIn } from '../../ui/still';

/** Milliseconds without a change after which the preview follows. */
const PAUSE = 400;
/** Pixels above and below the text in the frame. */
const MARGINS = 40;

/** What becomes of a template with made-up values, while somebody writes it. */
@Component({
  tag: 'lwc-limepkg-email-template-preview',
  styleUrls: ['../../ui/admin.css', 'lwc-limepkg-email-template-preview.css'],
  shadow: true,
})
export class TemplatePreview {
  /** The host's services. */
  @Prop() platform!: Platform;

  /** The subject, with places for values. */
  @Prop() subject = '';

  /** The HTML, with places for values. */
  @Prop() body = '';

  /** The language that dates are written in. */
  @Prop() language = 'en';

  /** The values that can be left out. */
  @Prop() groups: PlaceholderGroup[] = [];

  /** What is wrong with the template as it is now; nothing if it can be shown. */
  @Event({ bubbles: false }) checked!: EventEmitter<EmailError | undefined>;

  @State() private shown?: Rendered;
  @State() private failed = '';
  @State() private asText = false;
  @State() private missing: readonly string[] = [];

  private texts!: Texts;
  private frame?: HTMLIFrameElement;
  private timer?: number;
  private latest = 0;

  connectedCallback(): void {
    this.texts = textsOf(this.platform);
  }

  componentWillLoad(): void {
    void this.load();
  }

  componentDidRender(): void {
    this.fill();
  }

  disconnectedCallback(): void {
    window.clearTimeout(this.timer);
    this.latest += 1;
  }

  @Watch('subject')
  @Watch('body')
  @Watch('language')
  protected follow(): void {
    // What is still under way says nothing about the text as it is now.
    this.latest += 1;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.load(), PAUSE);
  }

  render(): VNode {
    const text = this.texts;
    return (
      <section class="preview" aria-label={text.get('templates.preview')}>
        <div class="head">
          <h3>{text.get('templates.preview')}</h3>
          <div class="choice" role="group" aria-label={text.get('templates.preview.as')}>
            {this.choice(false, text.get('templates.preview.html'))}
            {this.choice(true, text.get('templates.preview.text'))}
          </div>
        </div>
        <p class="quiet">{text.get('templates.preview.mocked')}</p>
        <p class="notice" role="status">
          {this.failed}
        </p>
        {this.shown && this.result(this.shown)}
        {this.leftOut()}
      </section>
    );
  }

  private choice(asText: boolean, label: string): VNode {
    return (
      <button
        type="button"
        aria-pressed={String(this.asText === asText)}
        onClick={() => (this.asText = asText)}
      >
        {label}
      </button>
    );
  }

  private result(shown: Rendered): VNode {
    const text = this.texts;
    return (
      <div class={{ result: true, old: this.failed !== '' }}>
        <p class="subject">
          <span class="quiet">{text.get('templates.subject')}</span>
          <strong>{shown.subject || text.get('templates.preview.no_subject')}</strong>
        </p>
        {this.asText ? (
          <pre tabindex="0">{shown.text}</pre>
        ) : (
          <iframe
            title={text.get('templates.preview.mail')}
            // Without `allow-scripts`: we write into the frame, nothing in it ever runs.
            sandbox="allow-same-origin"
            srcdoc={EMPTY_PAGE}
            ref={(element) => (this.frame = element)}
            onLoad={() => this.fill()}
          />
        )}
        {shown.missing.length > 0 && (
          <p class="wait">
            {text.get('templates.preview.missing', { names: shown.missing.join(', ') })}
          </p>
        )}
      </div>
    );
  }

  private leftOut(): VNode {
    return (
      <details>
        <summary>{this.texts.count('templates.preview.leave_out', this.missing.length)}</summary>
        <p class="quiet">{this.texts.get('templates.preview.leave_out_help')}</p>
        {this.groups.map((group) => (
          <fieldset>
            <legend>{this.box(group.name, group.explanation, false)}</legend>
            {group.values.map((each) =>
              this.box(each.name, each.explanation, this.missing.includes(group.name)),
            )}
          </fieldset>
        ))}
      </details>
    );
  }

  private box(name: string, explanation: string, covered: boolean): VNode {
    return (
      <label title={explanation}>
        <input
          type="checkbox"
          value={name}
          checked={covered || this.missing.includes(name)}
          disabled={covered}
          onChange={(event) => {
            event.stopPropagation();
            this.leave(name, (event.target as HTMLInputElement).checked);
          }}
        />
        <code>{name}</code>
      </label>
    );
  }

  private leave(name: string, out: boolean): void {
    const others = this.missing.filter((each) => each !== name);
    this.missing = out ? [...others, name] : others;
    void this.load();
  }

  private async load(): Promise<void> {
    window.clearTimeout(this.timer);
    const number = ++this.latest;
    const { subject, body, language } = this;
    const asked = { subject, body, language: language || 'en', missing: [...this.missing] };
    try {
      const shown = await emailApi(this.platform).templates.previewUnsaved(asked);
      if (number === this.latest) {
        this.shown = shown;
        this.failed = '';
        this.checked.emit(undefined);
      }
    } catch (error) {
      if (number === this.latest) {
        this.failed = this.texts.get('templates.preview.failed');
        this.checked.emit(error as EmailError);
      }
    }
  }

  private fit(): void {
    const height = this.frame?.contentDocument?.body?.offsetHeight ?? 0;
    if (this.frame && height > 0) {
      this.frame.style.height = `${Math.min(Math.max(height + MARGINS, 256), 720)}px`;
    }
  }

  private fill(): void {
    const page = this.frame?.contentDocument;
    if (this.frame && page?.body && this.shown) {
      showIn(page, this.shown.html);
      this.fit();
      // Once more when it has been laid out: hidden frames have no height yet.
      window.requestAnimationFrame(() => this.fit());
    }
  }
}
