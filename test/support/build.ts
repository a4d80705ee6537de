import { execFileSync } from 'node:child_process';
import path from 'node:path';

/** Builds `dist` before tests that run the binary, so that they run what is in `src`. Types are checked by lint. */
export default function build(): void {
  const root = path.resolve(import.meta.dirname, '../..');
  const compiler = path.join(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json', '--noCheck'], {
    cwd: root,
    stdio: 'inherit',
  });
}
