/** The files that go along with a message: new ones, and documents that the CRM has already. */

import { DraftFile } from '../../services/email-api/drafts';
import { MessageDocument } from '../../services/email-api/messages';
import { Texts } from '../../translate';
import { explainFile, FileLimits, sortFiles } from '../../ui/files';

export interface Attached {
  /** Tells it from the others. */
  key: string;
  name: string;
  size: number;
  /** What is to be uploaded; a document has none, and a file that came with a draft. */
  file?: File;
  /** The id under which the draft has it on the server. */
  upload?: number;
  /** The share (0 to 1) that has been uploaded, while it is. */
  progress?: number;
  /** Why it could not be uploaded; it can be tried again. */
  failed?: string;
  /** The id of the document; 0 for a new file. */
  document: number;
  /** Why it cannot go along. */
  error?: string;
}

/** Attach files; those that do not fit stay in sight with the reason. */
export function attachFiles(
  present: readonly Attached[],
  files: readonly File[],
  limits: FileLimits,
  texts: Texts,
): Attached[] {
  const known = new Set(present.map((each) => each.key));
  const fresh = files.filter((each) => !known.has(keyOf(each)));
  const { accepted, refused } = sortFiles(going(present), fresh, limits);
  const added = accepted.map((file) => fromFile(file));
  const wrong = refused.map(({ file, problem }) =>
    fromFile(file, explainFile(file, problem, texts, limits)),
  );
  return [...present, ...added, ...wrong];
}

/** Attach a document that the CRM has; once more changes nothing. */
export function attachDocument(
  present: readonly Attached[],
  document: Pick<MessageDocument, 'id' | 'filename' | 'size'>,
  limits: FileLimits,
  texts: Texts,
): Attached[] {
  const key = `document-${document.id}`;
  if (present.some((each) => each.key === key)) {
    return [...present];
  }
  const sized = { name: document.filename, size: document.size };
  const [refused] = sortFiles(going(present), [sized], limits).refused;
  const error = refused && explainFile(sized, refused.problem, texts, limits);
  return [...present, { key, ...sized, document: document.id, ...(error ? { error } : {}) }];
}

export function detach(present: readonly Attached[], key: string): Attached[] {
  return present.filter((each) => each.key !== key);
}

/** Give what can go along. */
export function going(present: readonly Attached[]): Attached[] {
  return present.filter((each) => !each.error);
}

/** Give the files that are only here. */
export function filesOf(present: readonly Attached[]): File[] {
  return going(present).flatMap((each) => (each.file && !each.upload ? [each.file] : []));
}

/** Give the ids of the files that the draft has on the server. */
export function uploadsOf(present: readonly Attached[]): number[] {
  return going(present).flatMap((each) => (each.upload ? [each.upload] : []));
}

/** Give a file that came back with a draft. */
export function fromDraft({ id, filename, size }: DraftFile): Attached {
  return { key: `upload-${id}`, name: filename, size, document: 0, upload: id };
}

export function documentsOf(present: readonly Attached[]): number[] {
  return going(present).flatMap((each) => (each.document ? [each.document] : []));
}

export function bytesOf(present: readonly Attached[]): number {
  return going(present).reduce((sum, each) => sum + each.size, 0);
}

function fromFile(file: File, error?: string): Attached {
  const { name, size } = file;
  return { key: keyOf(file), name, size, file, document: 0, ...(error ? { error } : {}) };
}

function keyOf({ name, size, lastModified }: File): string {
  return `file-${name}-${size}-${lastModified}`;
}
