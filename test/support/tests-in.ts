import fs from 'node:fs';
import path from 'node:path';

const ROOT = path.resolve(import.meta.dirname, '../..');

/**
 * The patterns of all tests in some folders.
 *
 * @param folders below `test/`
 * @throws Error when one of them contains no test: a project that matches nothing would pass
 */
export function testsIn(...folders: readonly string[]): string[] {
  return folders.map((folder) => {
    const files = fs.readdirSync(path.join(ROOT, 'test', folder), { recursive: true, encoding: 'utf8' });
    if (!files.some((file) => file.endsWith('.test.ts'))) throw new Error(`no test lies in test/${folder}`);
    return `test/${folder}/**/*.test.ts`;
  });
}
