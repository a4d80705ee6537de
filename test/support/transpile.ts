import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

const SOURCE = path.resolve(import.meta.dirname, '../../src');

/**
 * Writes a module of `src` and all that it imports as JavaScript below `outDir`, so that a child process of a test
 * can import it.
 *
 * @param entry relative to `src`, such as `adapters/files/owner.ts`
 * @returns the path of the module's JavaScript
 */
export function transpile(entry: string, outDir: string): string {
  fs.mkdirSync(outDir, { recursive: true });
  fs.writeFileSync(path.join(outDir, 'package.json'), '{"type":"module"}');
  const done = new Set<string>();
  const waiting = [path.join(SOURCE, entry)];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (done.has(file)) continue;
    done.add(file);
    const code = fs.readFileSync(file, 'utf8');
    const { outputText } = ts.transpileModule(code, {
      compilerOptions: {
        target: ts.ScriptTarget.ES2023,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    const target = toTarget(file, outDir);
    fs.mkdirSync(path.dirname(target), { recursive: true });
    fs.writeFileSync(target, outputText);
    for (const { fileName } of ts.preProcessFile(code).importedFiles) {
      if (fileName.startsWith('.')) waiting.push(path.resolve(path.dirname(file), fileName));
    }
  }
  return toTarget(path.join(SOURCE, entry), outDir);
}

function toTarget(file: string, outDir: string): string {
  return path.join(outDir, path.relative(SOURCE, file)).replace(/\.ts$/, '.js');
}
