import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { isJsonWanted } from '../../../src/cli/settings/json-wanted.ts';

const cwd = os.tmpdir();

it.each([
  ['-o json usr', true],
  ['usr -o json', true],
  ['usr -ojson', true],
  ['usr -o=json', true],
  ['usr --output json', true],
  ['usr --output=json', true],
  ['usr --output=JSON', true],
  ['usr --output=text', false],
  ['usr json', false],
  ['usr --output', false],
])('errors of %s are JSON: %s', (line, isJson) => {
  expect(isJsonWanted(line.split(' '), { env: {}, cwd })).toBe(isJson);
});

it('the flag goes before the environment, and that before the nearest file', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-output-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.writeFileSync(path.join(folder, 'orderctl.json'), '{"output": "json"}');
  const wanted = (words: string[], env: Record<string, string>): boolean =>
    isJsonWanted(words, { env, cwd: folder });
  expect(wanted([], {})).toBe(true);
  expect(wanted([], { ORDERCTL_OUTPUT: 'text' })).toBe(false);
  expect(wanted([], { ORDERCTL_OUTPUT: '' })).toBe(true);
  expect(wanted(['-o', 'json'], { ORDERCTL_OUTPUT: 'text' })).toBe(true);
  const plain = path.join(folder, 'plain.json');
  fs.writeFileSync(plain, '{}');
  expect(wanted(['--config', plain], {})).toBe(false);
  expect(wanted([`--config=${plain}`], {})).toBe(false);
  expect(wanted([], { ORDERCTL_CONFIG: plain })).toBe(false);
  fs.writeFileSync(path.join(folder, 'orderctl.json'), '{"output": ');
  expect(wanted([], {})).toBe(false);
});
