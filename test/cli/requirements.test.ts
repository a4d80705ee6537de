import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { openShop } from '../support/cli.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const PAGE = fs.readFileSync(path.join(ROOT, 'docs/requirements.md'), 'utf8');
const { scripts } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
  readonly scripts: Readonly<Record<string, string>>;
};

/** What stands in backticks, in the cells of tables that show something. */
const SHOWN = PAGE.split('\n')
  .filter((line) => line.startsWith('|'))
  .flatMap((line) => [...(line.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, text = '']) => text));

test('every requirement is shown by something', () => {
  const rows = PAGE.split('\n').filter((line) => /^\|(?! asked for| item| -|-)/.test(line));
  expect(rows.length).toBeGreaterThan(60);
  expect(rows.filter((line) => !(line.split('|').at(-2) ?? '').includes('`'))).toEqual([]);
});

test('the files and scripts that show requirements exist', () => {
  const files = SHOWN.filter((text) => /^(?:\.ci|\.github|deploy|docs|src|test|README|eslint)\b/.test(text));
  expect(files.length).toBeGreaterThan(60);
  expect(files.filter((file) => !fs.existsSync(path.join(ROOT, file)))).toEqual([]);
  const named = SHOWN.flatMap((text) => /^npm (?:run )?([\w:-]+)/.exec(text)?.slice(1) ?? []);
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('the commands and flags that show requirements exist', async () => {
  const shop = openShop();
  const settings = (await shop.ok('help settings')).stdout;
  const wrong: string[] = [];
  for (const text of new Set(SHOWN.filter((one) => one.startsWith('orderctl ')))) {
    const words = text.split(' ').slice(1);
    const flags = words.filter((word) => word.startsWith('--'));
    const { code, stdout } = await shop.run([...words.filter((word) => !word.startsWith('--')), '--help']);
    const missing = flags.filter((flag) => !new RegExp(`${flag}\\b`).test(stdout + settings));
    if (code !== 0 || missing.length > 0) wrong.push(`${text}: ${code ?? 'killed'} ${missing.join(' ')}`);
  }
  expect(wrong).toEqual([]);
});
