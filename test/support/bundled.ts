import path from 'node:path';
import { rolldown } from 'rolldown';

const SOURCE = path.resolve(import.meta.dirname, '../../src');

const made = new Map<string, Promise<string>>();

/**
 * A module of `src` with all its imports from there, as one JavaScript file, so that a child process of a test can load
 * it. Bundled once per process.
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
    // Helpers that the bundler generates for newer syntax are included.
    external: (id) => /^[^./]/.test(id) && !id.includes('@oxc-project'),
  });
  const { output } = await build.generate({ format: 'esm', codeSplitting: false });
  return output[0].code;
}
