/** What files may go along with a message. */

import { Texts } from '../translate';

export interface FileLimits {
  /** Bytes that one file may have. */
  each: number;
  /** Bytes that all files together may have. */
  together: number;
  /** How many files a message may have. */
  count: number;
}

/** What the server accepts unless its configuration says otherwise. */
export const DEFAULT_LIMITS: FileLimits = {
  each: 3_900_000,
  together: 18_000_000,
  count: 50,
};

export type FileProblem = 'empty' | 'too_large' | 'too_large_together' | 'too_many';

export interface Sized {
  name: string;
  size: number;
}

export interface Sorted<File extends Sized> {
  accepted: File[];
  refused: { file: File; problem: FileProblem }[];
}

/** Sort new files into those that may join the ones there are already, and those that may not. */
export function sortFiles<File extends Sized>(
  present: readonly Sized[],
  added: readonly File[],
  limits: FileLimits = DEFAULT_LIMITS,
): Sorted<File> {
  const sorted: Sorted<File> = { accepted: [], refused: [] };
  let count = present.length;
  let together = present.reduce((sum, each) => sum + each.size, 0);
  for (const file of added) {
    const problem = problemOf(file, count, together, limits);
    if (problem) {
      sorted.refused.push({ file, problem });
    } else {
      sorted.accepted.push(file);
      count += 1;
      together += file.size;
    }
  }
  return sorted;
}

/** Say a number of bytes: `4.2 MB`. */
export function formatSize(bytes: number, language: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const;
  const step = bytes < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(bytes) / 3));
  return new Intl.NumberFormat(language, {
    style: 'unit',
    unit: units[step],
    unitDisplay: 'short',
    maximumFractionDigits: step < 2 ? 0 : 1,
  }).format(bytes / 1000 ** step);
}

function problemOf(
  file: Sized,
  count: number,
  together: number,
  limits: FileLimits,
): FileProblem | undefined {
  if (file.size === 0) {
    return 'empty';
  }
  if (file.size > limits.each) {
    return 'too_large';
  }
  if (count >= limits.count) {
    return 'too_many';
  }
  return together + file.size > limits.together ? 'too_large_together' : undefined;
}

/** Say why a file cannot go along. */
export function explainFile(
  file: Sized,
  problem: FileProblem,
  texts: Texts,
  limits: FileLimits = DEFAULT_LIMITS,
): string {
  const size = (bytes: number): string => formatSize(bytes, texts.language);
  switch (problem) {
    case 'empty':
      return texts.get('file.empty', { name: file.name });
    case 'too_large': {
      const params = { name: file.name, size: size(file.size), limit: size(limits.each) };
      return texts.get('file.too_large', params);
    }
    case 'too_large_together':
      return texts.get('file.too_large_together', {
        name: file.name,
        limit: size(limits.together),
      });
    case 'too_many':
      return texts.get('file.too_many', { name: file.name, limit: limits.count });
  }
}
