import fs from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';

const COMMANDS =
  'acl|analytics|audit|completion|config|consume|demo|dev|dlq|doctor|inventory|offsets|order|produce|replay|report|run|schema|serve|setup|status|stop|store|supplier|topics|up|user';
const NAMED = new RegExp(String.raw`\borderctl (${COMMANDS})\b|(^|[^\w-])--[a-z]`);

function filesUnder(folder: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(folder, name));
}

/** The texts of a file in which a command or a flag of the command line is named. */
function namedIn(file: string): string[] {
  const found: string[] = [];
  const look = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node) || ts.isTemplateMiddleOrTemplateTail(node)) {
      if (NAMED.test(node.text)) found.push(node.text);
    }
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, fs.readFileSync(file, 'utf8'), ts.ScriptTarget.Latest));
  return found;
}

it('names no command and no flag outside the command line', () => {
  const named = ['domain', 'ports', 'app', 'adapters', 'dev-broker']
    .flatMap((folder) => filesUnder(`src/${folder}`))
    .filter((file) => namedIn(file).length > 0);
  expect(named).toEqual([]);
});
