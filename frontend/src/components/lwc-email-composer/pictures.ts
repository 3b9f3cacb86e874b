/**
 * Pictures in the text, as the editor of lime-elements can hold them.
 *
 * As `img` the editor loses them: of a text that is given to it, it takes the address of pictures
 * that carry themselves (`data:`) away, and of a text that is pasted, it leaves out every paragraph,
 * list or table with a picture in it. So it gets elements of our own that name a picture, and where
 * something is inserted at the cursor, marks instead of them, for a moment.
 */

/** What the editor calls a picture. */
export const PICTURE = 'limepkg-picture';

interface Attributes {
  alt: string;
  width: string;
  height: string;
}

// Attributes may hold `>` between their quotation marks.
const REST = `(?:[^>"']|"[^"]*"|'[^']*')*`;
const IMAGES = new RegExp(`<img\\b(${REST})>`, 'gi');
const ELEMENTS = new RegExp(`<${PICTURE}\\b(${REST})>(?:\\s*</${PICTURE}>)?`, 'gi');
const MARKS = /⟦picture:([\w-]+)⟧/g;

export class Pictures {
  private readonly sources = new Map<string, string>();
  private readonly ids = new Map<string, string>();
  private readonly attributes = new Map<string, Attributes>();

  /** `prefix` tells the pictures of one text from those of another one, into which it is copied. */
  constructor(private readonly prefix = Math.random().toString(36).slice(2, 10)) {}

  /** Give the name of the picture at an address. */
  add(source: string): string {
    const known = this.ids.get(source);
    if (known) {
      return known;
    }
    const id = `${this.prefix}-${this.ids.size + 1}`;
    this.ids.set(source, id);
    this.sources.set(id, source);
    return id;
  }

  /** Give the address of a picture; nothing for one that is not known here. */
  source(id: string): string {
    return this.sources.get(id) ?? '';
  }

  /** Give html with elements for the editor in place of its images. */
  toEditor(html: string): string {
    return html.replace(IMAGES, (image, written: string) => {
      const source = attribute(written, 'src');
      return source ? element(this.add(source), attributesOf(written)) : image;
    });
  }

  /** Give what the editor holds as html with images; what it holds of no known one is its text. */
  fromEditor(html: string): string {
    return html
      .replace(ELEMENTS, (_, written: string) =>
        this.image(attribute(written, 'image-id'), attributesOf(written)),
      )
      .replace(MARKS, (_, id: string) => this.image(id, this.attributes.get(id)));
  }

  /** Give html with marks, which are text, in place of its images. */
  marked(html: string): string {
    return html.replace(IMAGES, (_, written: string) => {
      const source = attribute(written, 'src');
      if (!source) {
        return '';
      }
      const id = this.add(source);
      this.attributes.set(id, attributesOf(written));
      return `⟦picture:${id}⟧`;
    });
  }

  private image(id: string, { alt, width, height }: Attributes = NONE): string {
    const source = this.source(id);
    if (!source) {
      return escaped(alt);
    }
    const size = [width && `width: ${length(width)}`, height && `height: ${length(height)}`];
    const style = size.filter(Boolean).join('; ');
    const styled = style ? ` style="${escaped(style)}"` : '';
    return `<img src="${escaped(source)}" alt="${escaped(alt)}"${styled}>`;
  }
}

const NONE: Attributes = { alt: '', width: '', height: '' };

/** Tell whether html shows a picture. */
export function hasPictures(html: string): boolean {
  return html.search(IMAGES) >= 0 || html.search(ELEMENTS) >= 0;
}

/** Give text without marks of pictures. */
export function withoutMarks(text: string): string {
  return text.replace(MARKS, '');
}

function element(id: string, { alt, width, height }: Attributes): string {
  const given = { alt, width, height };
  const written = Object.entries(given).filter(([, value]) => value);
  const more = written.map(([name, value]) => ` ${name}="${escaped(value)}"`).join('');
  return `<${PICTURE} image-id="${id}"${more}></${PICTURE}>`;
}

function attributesOf(written: string): Attributes {
  const style = attribute(written, 'style');
  const sized = (name: 'width' | 'height'): string => {
    const inStyle = new RegExp(`(?:^|[;\\s])${name}\\s*:\\s*([\\d.]+(?:px|em|rem|%)?)`, 'i');
    return inStyle.exec(style)?.[1] ?? attribute(written, name);
  };
  return { alt: attribute(written, 'alt'), width: sized('width'), height: sized('height') };
}

function attribute(written: string, name: string): string {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*("[^"]*"|'[^']*'|[^\\s"'>]+)`, 'i');
  const value = found.exec(written)?.[1] ?? '';
  return decoded(/^["']/.test(value) ? value.slice(1, -1) : value);
}

function length(value: string): string {
  return /^\d+$/.test(value) ? `${value}px` : value;
}

function decoded(text: string): string {
  return text
    .replace(/&quot;|&#34;/g, '"')
    .replace(/&#39;|&apos;/g, "'")
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

function escaped(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/"/g, '&quot;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;');
}
