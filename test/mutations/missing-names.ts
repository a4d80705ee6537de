import path from 'node:path';
import ts from 'typescript';
import { mutated, ROOT } from './apply.ts';
import type { Mutation } from './list.ts';

/** TypeScript's: no such name, no such property of a type. */
const NO_NAME = new Set([2304, 2552]);
const NO_PROPERTY = new Set([2339, 2551]);
/** Where a condition is always false there is nothing left, and of one of several types there is no error at run time. */
const HARMLESS = / on type '(never|Row)'/;

/**
 * Mutations that name what is no longer there, so that every test fails with them. Other errors of types are what some of
 * them are about.
 *
 * @returns the compiler's message for each
 * @throws Error when one does not apply
 */
export function missingNames(mutations: readonly Mutation[]): ReadonlyMap<Mutation, string> {
  const config = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (file) => ts.sys.readFile(file));
  const { options, fileNames } = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  const changed = new Map<string, string>();
  let version = 0;
  const service = ts.createLanguageService({
    fileExists: (file) => ts.sys.fileExists(file),
    readFile: (file) => ts.sys.readFile(file),
    directoryExists: (folder) => ts.sys.directoryExists(folder),
    getDirectories: (folder) => ts.sys.getDirectories(folder),
    getScriptFileNames: () => fileNames.filter((file) => file.includes('/src/')),
    getScriptVersion: (file) => (changed.has(file) ? String(version) : '0'),
    getScriptSnapshot: (file) => {
      const text = changed.get(file) ?? ts.sys.readFile(file);
      return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
    },
    getCurrentDirectory: () => ROOT,
    getCompilationSettings: () => options,
    getDefaultLibFileName: ts.getDefaultLibFilePath,
  });
  const found = new Map<Mutation, string>();
  for (const mutation of mutations) {
    const file = path.join(ROOT, mutation.file);
    const text = mutated(mutation);
    if (!file.endsWith('.ts')) continue;
    version += 1;
    changed.set(file, text);
    const errors = [...service.getSyntacticDiagnostics(file), ...service.getSemanticDiagnostics(file)];
    changed.delete(file);
    const missing = errors
      .map(({ code, messageText }) => ({ code, said: ts.flattenDiagnosticMessageText(messageText, ' ') }))
      .find(({ code, said }) => NO_NAME.has(code) || (NO_PROPERTY.has(code) && !HARMLESS.test(said)));
    if (missing !== undefined) found.set(mutation, missing.said);
  }
  return found;
}
