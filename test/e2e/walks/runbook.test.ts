import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { fill, openShop } from '../../support/cli.ts';
import { runLine } from '../../support/pages.ts';
import { createTopic, pens, sendRaw } from '../../support/topics.ts';

/** docs/monitoring.md, "What to do": every command that an alert asks for, as it is written there. */
const ROOT = path.resolve(import.meta.dirname, '../../..');
const PAGE = fs.readFileSync(path.join(ROOT, 'docs/monitoring.md'), 'utf8');
const [, RUNBOOK = ''] = /^## What to do\n(.*?)(?=^## |(?![^]))/ms.exec(PAGE) ?? [];
/** Without the server, whose log is meant. */
const COMMANDS = [
  ...new Set([...RUNBOOK.matchAll(/`(orderctl (?!serve)[^`]+)`/g)].map(([, text = '']) => text)),
];

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
  const letters = (await shop.lines('dlq list')).flatMap(({ id }) => (typeof id === 'string' ? [id] : []));
  for (const text of COMMANDS.sort((a, b) => Number(a.includes('--all')) - Number(b.includes('--all')))) {
    const named = text.replace(/ ID\b/, () => ` ${letters.shift() ?? ''}`);
    const line = WRITTEN_OUT.reduce((so, [from, to]) => so.replace(from, to), named);
    const { code, stdout, stderr } = await runLine(shop, line);
    expect(code, `${line}\n${stdout}${stderr}`).toBe(EXIT_CODES[text] ?? 0);
  }
});
