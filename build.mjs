import { createHash, randomUUID } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/*
 * `npm run build`: never changes a file that a running command may still load. Each build has a folder of its own in
 * dist/, named by its content; dist/main.js, replaced by a rename, says which one is in force.
 */

const ROOT = import.meta.dirname;
/** A command that began before the last build still loads from the one before. */
const KEPT_MS = 86_400_000;
/** npm packs nothing of a folder with this file in it. It is as old as the build that came after. */
const REPLACED = '.npmignore';
/** npm passes over names that begin like this. */
const UNFINISHED = '._new-';
const POINTER = 'main.js';

/** Bundles src/ and puts it in force. @returns {Promise<string>} the folder of the build */
export async function build(dist = path.join(ROOT, 'dist')) {
  const [{ rolldown }, { default: config }] = await Promise.all([
    import('rolldown'),
    import('./rolldown.config.js'),
  ]);
  const folder = newFolder(dist);
  const { output, ...input } = config;
  const bundle = await rolldown({ ...input, logLevel: 'warn' });
  await bundle.write({ ...output, dir: folder });
  await bundle.close();
  await buildPage(rolldown, folder);
  return publish(dist, folder);
}

/** The parts of page.css, in src/page/styles: of two rules of the same weight the later one counts. */
export const STYLES = ['base', 'verdict', 'flow', 'lists', 'forms', 'orders', 'records', 'hours', 'narrow'];

/**
 * What the browser runs, as three files: everything is in them, so that nothing is loaded from elsewhere.
 *
 * @param {typeof import('rolldown').rolldown} rolldown
 * @param {string} folder
 */
async function buildPage(rolldown, folder) {
  const source = path.join(ROOT, 'src/page');
  const bundle = await rolldown({
    input: path.join(source, 'page.tsx'),
    platform: 'browser',
    logLevel: 'warn',
    tsconfig: path.join(source, 'tsconfig.json'),
    transform: { target: 'es2022' },
  });
  await bundle.write({ file: path.join(folder, 'page.js'), format: 'esm', minify: true });
  await bundle.close();
  fs.copyFileSync(path.join(source, 'page.html'), path.join(folder, 'page.html'));
  const styles = STYLES.map((name) => fs.readFileSync(path.join(source, 'styles', `${name}.css`)));
  fs.writeFileSync(path.join(folder, 'page.css'), Buffer.concat(styles));
}

/**
 * Beside what it will replace, so that a rename does it.
 *
 * @param {string} dist
 * @returns {string}
 */
export function newFolder(dist) {
  // Not mkdtemp: other users may run what root has built.
  const folder = path.join(dist, UNFINISHED + randomUUID());
  fs.mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Puts a folder with a main.js in force. Two at once are safe: the later rename counts, and either is whole.
 *
 * @param {string} dist
 * @param {string} folder of newFolder
 * @returns {string} where it is now
 */
export function publish(dist, folder) {
  const name = contentOf(folder);
  const place = path.join(dist, name);
  if (fs.existsSync(place)) fs.rmSync(folder, { recursive: true });
  else renameUnlessThere(folder, place);
  const pointer = path.join(dist, `._main-${randomUUID()}`);
  fs.writeFileSync(pointer, `// Written by the build.\nexport * from './${name}/main.js';\n`);
  fs.renameSync(pointer, path.join(dist, POINTER));
  retire(dist);
  return place;
}

/** @param {string} folder */
function contentOf(folder) {
  const hash = createHash('sha256');
  for (const name of fs.readdirSync(folder).sort()) {
    hash.update(`${name}\0`).update(fs.readFileSync(path.join(folder, name)));
  }
  return hash.digest('hex').slice(0, 12);
}

/** @param {string} from @param {string} to */
function renameUnlessThere(from, to) {
  try {
    fs.renameSync(from, to);
  } catch (error) {
    // Another build of the same sources was faster.
    if (!fs.existsSync(to)) throw error;
    fs.rmSync(from, { recursive: true });
  }
}

/**
 * Marks the builds that are replaced, and removes those that were replaced long ago: never the last one.
 *
 * @param {string} dist
 */
function retire(dist) {
  const replaced = [];
  for (const entry of fs.readdirSync(dist, { withFileTypes: true })) {
    const place = path.join(dist, entry.name);
    if (!entry.isDirectory() || place === inForce(dist)) continue;
    const at = replacedAt(place);
    if (at !== null) replaced.push({ place, at });
  }
  replaced.sort((a, b) => b.at - a.at);
  for (const { place, at } of replaced.slice(1)) {
    if (Date.now() - at > KEPT_MS) fs.rmSync(place, { recursive: true, force: true });
  }
  // A build that came to be in force meanwhile may have been marked.
  fs.rmSync(path.join(inForce(dist), REPLACED), { force: true });
}

/**
 * Since when a build is replaced: now, unless it is marked already.
 *
 * @param {string} place
 * @returns {number | null} null where another build has moved or removed it
 */
function replacedAt(place) {
  const mark = path.join(place, REPLACED);
  try {
    // What a build that was killed has left is as old as itself.
    if (path.basename(place).startsWith(UNFINISHED)) return fs.statSync(place).mtimeMs;
    if (!fs.existsSync(mark)) fs.writeFileSync(mark, '*\n');
    return fs.statSync(mark).mtimeMs;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
    return null;
  }
}

/** @param {string} dist */
function inForce(dist) {
  const [, name = ''] = /'\.\/(\w+)\/main\.js'/.exec(fs.readFileSync(path.join(dist, POINTER), 'utf8')) ?? [];
  return path.join(dist, name);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
