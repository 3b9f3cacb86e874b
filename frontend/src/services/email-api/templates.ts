/** Texts of mails with places for values. */

import { Client, Page, Paging } from './client';

export type Purpose = string;

export interface NewTemplate {
  name: string;
  purpose: Purpose;
  language: string;
  subject: string;
  /** HTML. */
  body: string;
  /** Be the one that is used where none is chosen; left out, as it was. */
  is_default?: boolean | null;
}

export interface Template extends NewTemplate {
  id: number;
  is_default: boolean;
  version: number;
}

/** A template in the list; `used_by` are accounts, as `Support <support@example.org>`. */
export interface ListedTemplate extends Template {
  used_by: string[];
}

/** A value that templates may write as `{{ name }}`. */
export interface Placeholder {
  name: string;
  explanation: string;
  /** What a preview shows. */
  example: string;
}

/** Values of one thing; where there is no such thing, all of them are missing. */
export interface PlaceholderGroup {
  name: string;
  explanation: string;
  values: Placeholder[];
}

/** `stored` is false for the text that comes with the package; its id is 0. */
export interface DefaultTemplate extends Template {
  stored: boolean;
}

/** What becomes of a template; `missing` are names that have no value and are marked in it. */
export interface Rendered {
  subject: string;
  html: string;
  text: string;
  missing: string[];
}

/** What is known of the message for which a template is filled. */
export interface Writing {
  conversation?: number;
  account?: number;
  recipient?: string;
  name?: string;
}

export interface TemplatesApi {
  list(query?: Paging & { purpose?: Purpose; language?: string }): Promise<Page<ListedTemplate>>;
  placeholders(language?: string): Promise<Page<PlaceholderGroup>>;
  read(template: number): Promise<Template>;
  create(template: NewTemplate): Promise<Template>;
  /** Store over the version that was read; 409 carries the newer one in `details.newer`. */
  change(template: number, version: number, changed: NewTemplate): Promise<Template>;
  remove(template: number): Promise<void>;
  default(query?: { purpose?: Purpose; language?: string }): Promise<DefaultTemplate>;
  /** Store a default for each purpose that has none in the language. */
  createDefaults(language?: string): Promise<Page<Template>>;
  /** Show a template with mocked data; `missing` are names such as `recipient.name`. */
  preview(template: number, missing?: string[]): Promise<Rendered>;
  previewUnsaved(template: {
    subject?: string;
    body?: string;
    language?: string;
    missing?: string[];
  }): Promise<Rendered>;
  /** Fill a template with what the user may see of a conversation. */
  render(template: number, writing: Writing): Promise<Rendered>;
}

export function templates(client: Client): TemplatesApi {
  return {
    list: (query) => client.get('template/', { ...query }),
    placeholders: (language) => client.get('template-placeholders/', { language }),
    read: (template) => client.get(`template/${template}/`),
    create: (template) => client.post('template/', template),
    change: (template, version, changed) =>
      client.put(`template/${template}/`, { ...changed, version }),
    remove: (template) => client.delete(`template/${template}/`),
    default: (query) => client.get('default_template/', { ...query }),
    createDefaults: (language) => client.post('default_template/', language ? { language } : {}),
    preview: (template, missing = []) =>
      client.get(`preview-template/${template}/`, { missing: missing.join(',') || undefined }),
    previewUnsaved: (template) => client.post('preview-template/', template),
    render: (template, writing) => client.get(`template/${template}/render/`, { ...writing }),
  };
}
