import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';

/** Builds `dist` before tests that run the binary, so that they run what is in `src`. Types are checked by lint. */
export default function build(): Promise<void> {
  // The projects of a run share `dist`, and their set-ups run in one process.
  const shared = globalThis as unknown as { orderctlBuild?: Promise<void> };
  return (shared.orderctlBuild ??= run());
}

async function run(): Promise<void> {
  const root = path.resolve(import.meta.dirname, '../..');
  const child = spawn(process.execPath, [path.join(root, 'build.mjs')], { cwd: root, stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`build.mjs ended with ${code ?? 'a signal'}`);
}
