// Makes what the components have of the catalogues that the Python package owns: `src/texts.ts` with
// the type of all keys, and a file for each language that the components fetch.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FRONTEND = dirname(dirname(fileURLToPath(import.meta.url)));
const CATALOGUES = join(FRONTEND, '..', 'limepkg_email', 'translations');
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

/** Give the texts of every language by key, without the prefix, and what to serve them as. */
export function catalogues() {
  const names = readdirSync(CATALOGUES).filter((name) => name.endsWith('.po'));
  return names.sort().map((name) => {
    const language = name.replace(/\.po$/, '');
    const source = readCatalogue(readFileSync(join(CATALOGUES, name), 'utf-8'));
    const entries = Object.entries(source).map(([key, text]) => [key.replace(PREFIX, ''), text]);
    const texts = Object.fromEntries(entries);
    const content = JSON.stringify(texts);
    // Browsers keep a file for good: other texts have another name.
    const hash = createHash('sha256').update(content).digest('hex').slice(0, 8);
    return { language, texts, content, file: `${language}-${hash}.json` };
  });
}

/** Write `src/texts.ts` if it is not what the catalogues say. */
export function writeTexts() {
  const all = catalogues();
  const english = all.find(({ language }) => language === 'en').texts;
  const files = Object.fromEntries(all.map(({ language, file }) => [language, file]));
  const module = [
    '// Made by scripts/texts.mjs from limepkg_email/translations/*.po; do not edit.',
    '',
    '/** The file with the texts of a language. */',
    `export const CATALOGUES: Readonly<Record<string, string>> = ${JSON.stringify(files)};`,
    '',
    '/** The English texts. For tests only: what imported them would put them into the bundle. */',
    `export const ENGLISH = ${JSON.stringify(english, null, 2)} as const;`,
    '',
    "/** The key of a text, without the prefix that all of the package's keys have. */",
    'export type TextKey = keyof typeof ENGLISH;',
    '',
  ].join('\n');
  if (!existsSync(TEXTS) || readFileSync(TEXTS, 'utf-8') !== module) {
    writeFileSync(TEXTS, module);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeTexts();
}
