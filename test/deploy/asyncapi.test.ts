import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { MESSAGES } from '../../src/domain/messages/index.ts';
import { deadLettersOf } from '../../src/domain/messages/topic-names.ts';
import { absent } from '../support/peers.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PROGRAM = path.join(import.meta.dirname, 'peers/asyncapi.mjs');
const makeFolder = temporaryFolder();

const withoutParser = absent(
  '@asyncapi/parser',
  () => fs.existsSync(path.join(import.meta.dirname, 'peers/node_modules/@asyncapi/parser')),
  'npm ci --prefix test/deploy/peers --ignore-scripts',
);

interface Parsed {
  /** Of severity 0 are errors. */
  readonly diagnostics: readonly { readonly severity: number; readonly message: string }[];
  readonly channels: number;
  readonly operations: number;
  readonly payloads: number;
}

function parse(file: string): Parsed {
  const { status, stdout, stderr } = spawnSync(process.execPath, [PROGRAM, file], { encoding: 'utf8' });
  expect(status, stderr).toBe(0);
  return JSON.parse(stdout) as Parsed;
}

test.skipIf(withoutParser)('the parser of AsyncAPI finds the whole catalogue, and nothing against it', () => {
  const file = path.join(ROOT, 'docs/asyncapi.json');
  const topics = new Set(
    MESSAGES.flatMap((one) => [one.name, deadLettersOf(one)]).filter((name) => name !== null),
  );
  expect(parse(file)).toEqual({
    diagnostics: [],
    channels: topics.size,
    operations: MESSAGES.reduce((sum, { writers, readers }) => sum + writers.length + readers.length, 0),
    payloads: MESSAGES.filter(({ schema }) => schema !== null).length,
  });
  // It reads the schemas too.
  const broken = path.join(makeFolder(), 'asyncapi.json');
  const text = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(
    broken,
    text.replace('"name": "order_id", "type": "string"', '"name": "order_id", "type": "sting"'),
  );
  expect(parse(broken).diagnostics).toMatchObject([
    { severity: 0, message: expect.stringContaining('sting') as string },
  ]);
});
