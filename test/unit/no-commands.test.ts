import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';

const names = COMMANDS.map(({ name }) => name).join('|');
const NAMED = new RegExp(String.raw`\borderctl (${names})\b|(^|[^\w-])--[a-z]`);

function filesUnder(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));
}

/** The texts of a file in which a command or a flag of the command line is named. */
function namedIn(file: string): string[] {
  const found: string[] = [];
  const source = fs.readFileSync(file, 'utf8');
  // Where it is, a comment may have it.
  if (!NAMED.test(source)) return found;
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      if (NAMED.test(node.text)) found.push(node.text);
    }
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, source, ts.ScriptTarget.Latest));
  return found;
}

it('names no command and no flag outside the command line', () => {
  const named = ['domain', 'ports', 'app', 'adapters', 'dev-broker']
    .flatMap((folder) => filesUnder(`src/${folder}`))
    .filter((file) => namedIn(file).length > 0);
  expect(named).toEqual([]);
});
