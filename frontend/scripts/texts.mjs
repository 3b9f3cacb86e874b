// Makes `src/texts.ts`, the English texts that the bundle carries and the type of all keys, from the
// catalogue that the Python package owns.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRONTEND = dirname(dirname(fileURLToPath(import.meta.url)));
const CATALOGUE = join(FRONTEND, '..', 'limepkg_email', 'translations', 'en.po');
const TEXTS = join(FRONTEND, 'src', 'texts.ts');

export const PREFIX = 'limepkg_email.';

/** Read a gettext catalogue without plural forms and contexts; gives the texts by key. */
export function readCatalogue(source) {
  const texts = {};
  let id = '';
  let field = '';
  for (const line of source.split(/\r?\n/)) {
    const [, keyword, quoted] = line.match(/^(?:(msgid|msgstr)\s+)?("(?:[^"\\]|\\.)*")\s*$/) ?? [];
    if (quoted === undefined) {
      continue;
    }
    const text = JSON.parse(quoted);
    if (keyword === 'msgid') {
      id = '';
    } else if (keyword === 'msgstr') {
      texts[id] = '';
    }
    field = keyword ?? field;
    if (field === 'msgid') {
      id += text;
    } else {
      texts[id] += text;
    }
  }
  delete texts[''];
  return texts;
}

/** Write `src/texts.ts` if it is not what the catalogue says. */
export function writeTexts() {
  const texts = readCatalogue(readFileSync(CATALOGUE, 'utf-8'));
  const lines = Object.entries(texts).map(
    ([key, text]) => `  ${JSON.stringify(key.replace(PREFIX, ''))}: ${JSON.stringify(text)},`,
  );
  const module = [
    '// Made by scripts/texts.mjs from limepkg_email/translations/en.po; do not edit.',
    'export const TEXTS = {',
    ...lines,
    '} as const;',
    '',
    "/** The key of a text, without the prefix that all of the package's keys have. */",
    'export type TextKey = keyof typeof TEXTS;',
    '',
  ].join('\n');
  if (!existsSync(TEXTS) || readFileSync(TEXTS, 'utf-8') !== module) {
    writeFileSync(TEXTS, module);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeTexts();
}
