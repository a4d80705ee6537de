import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { openShop, type Running, type Shop } from '../../support/cli.ts';
import { blockOf, runLine, runSteps, stepsOf, type Step } from '../../support/pages.ts';
import { must, withoutKcat, withoutPython } from '../../support/peers.ts';
import { createTopic, sendRaw, testBrokers } from '../../support/topics.ts';
import { waitFor } from '../../support/wait.ts';

/** README.md: what it says to type is typed here, in its order. */
const README = stepsOf('README.md');
const python = process.env.ORDERCTL_TEST_PYTHON ?? 'python3';

function stepsUnder(title: string): Step[] {
  const steps = README.get(title) ?? [];
  expect(steps.length, title).toBeGreaterThan(0);
  return steps;
}

/** The address and the topic of the page are those of this test. */
function here(shop: Shop, code: string): string {
  return code
    .replaceAll('127.0.0.1:9092', testBrokers())
    .replace(/(["' ])orders(?=["' ])/g, `$1${shop.topic}`);
}

async function fiveMinutesUntil(shop: Shop, until: RegExp): Promise<Step[]> {
  const steps = stepsUnder('Five minutes');
  const end = steps.findIndex(({ commands }) => commands.some(({ line }) => until.test(line)));
  expect(end).toBeGreaterThan(0);
  await runSteps(shop, steps.slice(0, end));
  return steps.slice(end);
}

/** Runs one of the two commands that go on until Ctrl-C. */
function runInTerminal(shop: Shop, step: Step | undefined, name: string): Running {
  const [, args = ''] = (step?.commands ?? [])
    .map(({ line }) => /^npx orderctl (.*)$/.exec(line) ?? [])
    .find(([, words = '']) => words.startsWith(name)) ?? [undefined, undefined];
  expect(args).not.toBe('');
  return shop.start(args);
}

describe('README.md', () => {
  test('Five minutes', async () => {
    const shop = openShop();
    const [hardWay, ...after] = await fiveMinutesUntil(shop, /produce --count 0/);
    expect(shop.jsonl('rejections.jsonl').every(({ user }) => user === 'bob')).toBe(true);
    const bobs = shop.jsonl('orders.jsonl').filter(({ user }) => user === 'bob');
    expect(bobs.map(({ order_id }) => order_id).sort()).toEqual(
      shop
        .jsonl('rejections.jsonl')
        .map(({ order_id }) => `${order_id}.r1`)
        .sort(),
    );

    const updates = (hardWay?.commands ?? []).filter(({ line }) => line.includes(' inventory update '));
    expect(updates).toHaveLength(3);
    for (const { line } of updates) expect((await runLine(shop, line)).code).toBe(0);
    const decided = (): number => shop.jsonl('orders.jsonl').length;
    const produce = runInTerminal(shop, hardWay, 'produce');
    const killed = runInTerminal(shop, hardWay, 'consume');
    const before = decided();
    await waitFor('decisions', decided, (count) => count > before + 20);
    killed.signal('SIGKILL');
    await killed.exited;
    const again = runInTerminal(shop, hardWay, 'consume');
    const atKill = decided();
    await waitFor('more decisions', decided, (count) => count > atKill + 20);
    const inventory = path.join(shop.storage, 'inventory.csv');
    fs.appendFileSync(inventory, 'mug,7\n');
    produce.signal('SIGINT');
    expect((await produce.exited).code).toBe(0);
    again.signal('SIGINT');
    expect((await again.exited).code).toBe(0);
    await runSteps(shop, after);
    expect(shop.stock()).toMatchObject({ mug: 7 });
  });

  test('The order format: as JSON', async () => {
    const shop = openShop();
    await fiveMinutesUntil(shop, /produce --count 5/);
    await createTopic(shop.topic, 1);
    await sendRaw(shop.topic, [{ value: blockOf('README.md', 'json') }]);
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ read: 1, accepted: 1 });
  });

  test.skipIf(withoutPython)('The order format: from Python', async () => {
    const shop = openShop();
    await fiveMinutesUntil(shop, /produce --count 5/);
    const said = await must(python, ['-c', here(shop, blockOf('README.md', 'python'))], '');
    expect(said).toMatch(/^sent to .*@0\n$/);
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ read: 1, accepted: 1 });
  });

  test.skipIf(withoutKcat)('The order format: from a shell', async () => {
    const shop = openShop();
    await fiveMinutesUntil(shop, /produce --count 5/);
    const [step] = stepsUnder('The order format');
    await must('sh', ['-c', here(shop, step?.commands[0]?.line ?? '')], '');
    const [summary] = await shop.lines('consume --until-end');
    expect(summary).toMatchObject({ read: 1, accepted: 1 });
  });
});
