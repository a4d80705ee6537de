import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Set once it is built: the projects of one run share `dist`, and their set-ups run in one process. */
const BUILT = Symbol.for('orderctl.built');

/** Builds `dist` before tests that run the binary, so that they run what is in `src`. Types are checked by lint. */
export default function build(): void {
  if (BUILT in globalThis) return;
  const root = path.resolve(import.meta.dirname, '../..');
  execFileSync(process.execPath, [path.join(root, 'build.mjs')], { cwd: root, stdio: 'inherit' });
  Object.assign(globalThis, { [BUILT]: true });
}
