import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, openShop } from '../../support/cli.ts';
import { runLine } from '../../support/pages.ts';
import { absent, runs } from '../../support/peers.ts';
import { serve } from '../../support/serve.ts';
import { createTopic, pens, sendRaw } from '../../support/topics.ts';

/** docs/monitoring.md, "What to do": every command that an alert asks for, as it is written there. */
const ROOT = path.resolve(import.meta.dirname, '../../..');
const PAGE = fs.readFileSync(path.join(ROOT, 'docs/monitoring.md'), 'utf8');
const [, RUNBOOK = ''] = /^## What to do\n(.*?)(?=^## |(?![^]))/ms.exec(PAGE) ?? [];
/** What has a blank in it; without the server, whose log is meant. */
const TYPED = [...new Set([...RUNBOOK.matchAll(/`([^`]+)`/g)].map(([, text = '']) => text))].filter(
  (text) => text.includes(' ') && text !== 'orderctl serve',
);
const IOSTAT = TYPED.filter((text) => text.startsWith('iostat '));
const COMMANDS = TYPED.filter((text) => !IOSTAT.includes(text));
const withoutIostat = absent('iostat', () => runs('iostat', ['-V']), 'apt-get install sysstat');

/** What stands for something, and what has no end of its own. */
const WRITTEN_OUT: readonly (readonly [RegExp, string])[] = [
  [/ DIR$/, ' copy'],
  // On a terminal it asks.
  [/dlq discard .*/, '$& --yes'],
  [/^orderctl run(?: NAME)?$/, 'orderctl run orders --until-end'],
];
/** By what the README says of it: nothing runs. */
const EXIT_CODES: Readonly<Record<string, number>> = { 'orderctl status': 3 };

test('the commands that alerts ask for can be typed as they are', async () => {
  expect(COMMANDS.length).toBeGreaterThan(10);
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 10 });
  await createTopic(shop.topic, 1);
  await sendRaw(shop.topic, [{ value: 'hello' }, { value: 'hello' }, ...pens('a', 2)]);
  await shop.ok('topics apply --all --execute');
  await shop.ok('run orders --until-end');
  // A dead letter of its own for each command that is about one; then what is about all.
  const { url } = await serve(shop);
  const letters = (await shop.lines('dlq list')).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  for (const text of COMMANDS.sort((a, b) => Number(a.includes('--all')) - Number(b.includes('--all')))) {
    const named = text
      .replace(/ ID\b/, () => ` ${letters.shift() ?? ''}`)
      .replace('http://127.0.0.1:8080', url);
    const line = WRITTEN_OUT.reduce((so, [from, to]) => so.replace(from, to), named);
    const { code, stdout, stderr } = await runLine(shop, line);
    expect(code, `${line}\n${stdout}${stderr}`).toBe(EXIT_CODES[text] ?? 0);
    if (text.startsWith('curl ')) expect(JSON.parse(stdout)).not.toHaveProperty('type', 'about:blank');
  }
});

test.skipIf(withoutIostat)('iostat prints how busy each disk was', async () => {
  const [line = '', ...others] = IOSTAT;
  expect(others).toEqual([]);
  const { code, stdout, stderr } = await runLine(openShop(), line);
  expect(code, stderr).toBe(0);
  // Once: without -y the first report is of all time since the start of the machine.
  expect(stdout.match(/^Device .*%util$/gm)).toHaveLength(1);
});
