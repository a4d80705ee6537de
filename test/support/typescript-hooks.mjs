import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** What was made of a file stays, since making it takes longer than most of what is run in this way. */
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
 * @param {URL} made where it goes to
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
  // Others may be reading there, or making the same. Where nothing can be written, it is made again the next time.
  const own = `${fileURLToPath(made)}.${process.pid}`;
  const write = async () => {
    await mkdir(CACHE, { recursive: true });
    await writeFile(own, outputText);
    await rename(own, made);
  };
  await write().catch(() => undefined);
  return outputText;
}
