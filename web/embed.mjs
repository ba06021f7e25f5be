// Takes what `npm run build` has made over into the program: each file compressed, and a list of them in Rust. With
// `--check` nothing is written; whatever differs is an error.
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { gunzipSync, gzipSync } from 'node:zlib';

const dist = new URL('dist/', import.meta.url);
const home = new URL('../crates/server/src/console/', import.meta.url);
const folder = new URL('files/', home);
const list = new URL('built.rs', home);

// What the wall loads, and what all views load together, in bytes as they come over the wire.
const MOST_FOR_THE_WALL = 200_000;
const MOST = 500_000;

const PAGE = 'index.html';
// Where Vite tells what it has made of what.
const MANIFEST = '.vite/manifest.json';
// All that the server knows the type of; `crates/server/src/console/file.rs` has the types.
const KNOWN = /^(index\.html|assets\/[\w.-]+-[\w-]{8}\.(js|css|svg|woff2))$/;

/** The paths of all files in `dist`. */
function made() {
  const paths = readdirSync(dist, { recursive: true }).filter((path) => statSync(new URL(path, dist)).isFile());
  return paths.filter((path) => path !== MANIFEST).sort();
}

/** Compressed bytes that depend on nothing but what is compressed: without name, time and system. */
function packed(bytes) {
  const gzip = gzipSync(bytes, { level: 9 });
  gzip[9] = 255;
  return gzip;
}

/** The files that a part of the page loads, with all that it imports and their styles. */
function loadedBy(manifest, key, found = new Set()) {
  const { file, css = [], assets = [], imports = [] } = manifest[key];
  if (found.has(file)) return found;
  [file, ...css, ...assets].forEach((path) => found.add(path));
  imports.forEach((imported) => loadedBy(manifest, imported, found));
  return found;
}

function fail(reason) {
  console.error(`web/build: ${reason}`);
  process.exit(1);
}

const paths = made();
const strange = paths.filter((path) => !KNOWN.test(path));
if (strange.length > 0) fail(`the server has no place for ${strange.join(', ')}: it serves ${PAGE} and assets with hashes in their names`);
const files = new Map(paths.map((path) => [path, packed(readFileSync(new URL(path, dist)))]));

const manifest = JSON.parse(readFileSync(new URL(MANIFEST, dist), 'utf8'));
const wall = Object.keys(manifest).find((key) => key.startsWith('src/views/wall/') && manifest[key].isDynamicEntry);
if (wall === undefined) fail('there is no wall in src/views/wall');
const ofWall = new Set([PAGE, ...loadedBy(manifest, PAGE), ...loadedBy(manifest, wall)]);
const size = (paths) => [...paths].reduce((sum, path) => sum + files.get(path).length, 0);
const [wallSize, allSize] = [size(ofWall), size(paths)];
console.log(`the wall loads ${wallSize} bytes of at most ${MOST_FOR_THE_WALL}, all views together ${allSize} of ${MOST}`);
if (wallSize > MOST_FOR_THE_WALL || allSize > MOST) fail('that is too much');

// One folder has them all: a name with its hash is enough.
const name = (path) => path.replace(/^assets\//, '');
const names = paths.map(name).sort((one, other) => (other === PAGE) - (one === PAGE) || (one < other ? -1 : 1));
const rust = `//! The files that \`web/build\` has made. It writes this list, too.

use super::embedded::embedded;
use super::file::ConsoleFile;

embedded! {
${names.map((name) => `    "${name}"`).join('\n')}
}
`;

// Other versions of Node compress the same to other bytes. What counts is what it unpacks to.
if (process.argv.includes('--check')) {
  const there = existsSync(folder) ? readdirSync(folder).sort() : [];
  const expected = names.map((name) => `${name}.gz`).sort();
  const differs = [...new Set([...there, ...expected])].filter((file) => there.includes(file) !== expected.includes(file));
  for (const path of paths) {
    const file = new URL(`${name(path)}.gz`, folder);
    if (existsSync(file) && !gunzipSync(readFileSync(file)).equals(readFileSync(new URL(path, dist)))) differs.push(`${name(path)}.gz`);
  }
  if (readFileSync(list, 'utf8') !== rust) differs.push('built.rs');
  if (differs.length > 0) fail(`${differs.join(', ')} in ${home.pathname} is not what web makes now: run web/build, and commit what it writes`);
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const [path, gzip] of files) writeFileSync(new URL(`${name(path)}.gz`, folder), gzip);
  writeFileSync(list, rust);
}
