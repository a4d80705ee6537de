import path from 'node:path';
import { rolldown } from 'rolldown';

const SOURCE = path.resolve(import.meta.dirname, '../../src');

const made = new Map<string, Promise<string>>();

/**
 * A module of `src` with all that it imports from there, as the text of one file of JavaScript, so that a child process
 * of a test can load it. Made once in a process.
 *
 * @param entry relative to `src`, such as `adapters/files/owner/owner.ts`
 */
export function bundled(entry: string): Promise<string> {
  let text = made.get(entry);
  if (text === undefined) made.set(entry, (text = bundle(entry)));
  return text;
}

async function bundle(entry: string): Promise<string> {
  const input = path.join(SOURCE, entry);
  await using build = await rolldown({
    input,
    platform: 'node',
    transform: { target: 'es2023' },
    logLevel: 'warn',
    // What it makes of newer syntax is its own, and goes in.
    external: (id) => /^[^./]/.test(id) && !id.includes('@oxc-project'),
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  return output[0].code;
}
