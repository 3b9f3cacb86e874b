// Puts together what a host serves, after Stencil has built the components: these, the ready-made
// build of lime-elements, icons and the static host page. All of it goes into the Python package.
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { catalogues } from './texts.mjs';

const FRONTEND = dirname(dirname(fileURLToPath(import.meta.url)));
const STATIC = join(FRONTEND, '..', 'limepkg_email', 'web_components', 'static');
const NAMESPACE = 'limepkg-email-lwc-components';
const ELEMENTS = join(FRONTEND, 'node_modules', '@limetech', 'lime-elements');
const SWAGGER = join(FRONTEND, 'node_modules', 'swagger-ui-dist');
const ICONS = join(FRONTEND, 'node_modules', 'bootstrap-icons');

const target = `${STATIC}.${process.pid}`;
rmSync(target, { recursive: true, force: true });

copyComponents();
const elements = copyElements();
const icons = copyIcons();
const documentation = copyDocumentation();
cpSync(join(FRONTEND, 'host'), join(target, 'host'), { recursive: true });
fillPage({ elements, icons });
writeManifest({ elements, icons, documentation });
replace(STATIC, target);

function copyComponents() {
  const built = join(FRONTEND, 'dist', NAMESPACE);
  const folder = join(target, 'components', NAMESPACE);
  cpSync(built, folder, { recursive: true });
  // In the bundle's folder, so that whoever serves the components serves their texts.
  mkdirSync(join(folder, 'translations'));
  catalogues().forEach(({ file, content }) => {
    writeFileSync(join(folder, 'translations', file), content);
  });
}

// The version is in the path, because browsers keep icons and files without asking again.
function copyElements() {
  const { version } = JSON.parse(readFileSync(join(ELEMENTS, 'package.json'), 'utf-8'));
  const folder = `lime-elements-${version}`;
  const built = join(ELEMENTS, 'dist', 'lime-elements');
  const wanted = /lime-elements$|\.(js|css)$/;
  cpSync(built, join(target, folder), {
    recursive: true,
    filter: (source) => wanted.test(source),
  });
  const palette = 'color-palette-extended.css';
  const style = join(ELEMENTS, 'dist', 'collection', 'style', palette);
  cpSync(style, join(target, folder, palette));
  cpSync(join(ELEMENTS, 'LICENSE.txt'), join(target, folder, 'LICENSE.txt'));
  return folder;
}

function copyIcons() {
  const names = Object.entries(JSON.parse(readFileSync(join(FRONTEND, 'icons.json'), 'utf-8')));
  const files = names.map(([name, drawing]) => [
    name,
    readFileSync(join(ICONS, 'icons', `${drawing}.svg`)),
  ]);
  const hash = createHash('sha256');
  files.forEach(([name, content]) => hash.update(name).update(content));
  const folder = `icons-${hash.digest('hex').slice(0, 8)}`;
  mkdirSync(join(target, folder, 'assets', 'icons'), { recursive: true });
  files.forEach(([name, content]) => {
    writeFileSync(join(target, folder, 'assets', 'icons', `${name}.svg`), content);
  });
  cpSync(join(ICONS, 'LICENSE'), join(target, folder, 'LICENSE.txt'));
  return folder;
}

// What shows the API's document: the page is an endpoint of the Python package.
function copyDocumentation() {
  const { version } = JSON.parse(readFileSync(join(SWAGGER, 'package.json'), 'utf-8'));
  const folder = `swagger-ui-${version}`;
  mkdirSync(join(target, folder), { recursive: true });
  const wanted = ['swagger-ui-bundle.js', 'swagger-ui.css', 'LICENSE', 'NOTICE'];
  wanted.forEach((name) => {
    cpSync(join(SWAGGER, name), join(target, folder, name));
  });
  return folder;
}

function fillPage(folders) {
  const page = join(target, 'host', 'index.html');
  const filled = readFileSync(page, 'utf-8')
    .replaceAll('{{elements}}', folders.elements)
    .replaceAll('{{icons}}', folders.icons);
  writeFileSync(page, filled);
}

function writeManifest(folders) {
  const { version } = JSON.parse(readFileSync(join(FRONTEND, 'package.json'), 'utf-8'));
  const manifest = {
    version,
    // What the sources were that this was built from; whoever started the build says so.
    sources: process.env.LIMEPKG_EMAIL_SOURCES ?? '',
    components: `components/${NAMESPACE}/${NAMESPACE}.esm.js`,
    elements: `${folders.elements}/lime-elements.esm.js`,
    styles: [
      `${folders.elements}/color-palette-extended.css`,
      `${folders.elements}/lime-elements.css`,
    ],
    icons: `${folders.icons}/`,
    documentation: folders.documentation,
  };
  writeFileSync(join(target, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
}

// A server that runs meanwhile must not see half of it.
function replace(old, fresh) {
  const aside = `${old}.${process.pid}.old`;
  mkdirSync(dirname(old), { recursive: true });
  if (existsSync(old)) {
    renameSync(old, aside);
  }
  renameSync(fresh, old);
  rmSync(aside, { recursive: true, force: true });
  const files = readdirSync(old, { recursive: true }).length;
  console.log(`${files} files and folders in ${old}`);
}
