import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** Compiled files are kept, because compiling takes longer than most programs that run this way. */
const CACHE = new URL('../../node_modules/.cache/typescript-hooks/', import.meta.url);
const HOW = await readFile(fileURLToPath(import.meta.url));

/** @type {import('node:module').LoadHook} */
export async function load(url, context, nextLoad) {
  if (!url.startsWith('file:') || !url.endsWith('.ts')) return nextLoad(url, context);
  const code = await readFile(fileURLToPath(url), 'utf8');
  const hash = createHash('sha1').update(HOW).update(url).update(code).digest('hex');
  const made = new URL(`${hash}.js`, CACHE);
  const source = await readFile(made, 'utf8').catch(() => make(fileURLToPath(url), code, made));
  return { format: 'module', shortCircuit: true, source };
}

/**
 * @param {string} fileName
 * @param {string} code
 * @param {URL} made the file to which the result is written
 * @returns {Promise<string>} JavaScript
 */
async function make(fileName, code, made) {
  const { default: ts } = await import('typescript');
  const { outputText } = ts.transpileModule(code, {
    fileName,
    compilerOptions: {
      target: ts.ScriptTarget.ES2023,
      module: ts.ModuleKind.ESNext,
      verbatimModuleSyntax: true,
      inlineSourceMap: true,
    },
  });
  // Other processes may read or write the same file. If it cannot be written, it is compiled again the next time.
  const own = `${fileURLToPath(made)}.${process.pid}`;
  const write = async () => {
    await mkdir(CACHE, { recursive: true });
    await writeFile(own, outputText);
    await rename(own, made);
  };
  await write().catch(() => undefined);
  return outputText;
}
