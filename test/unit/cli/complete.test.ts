import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Session } from '../../../src/cli/session.ts';
import { closedPort } from '../../support/closed-port.ts';

const brokers = `127.0.0.1:${await closedPort()}`;
const env = { ORDERCTL_BROKERS: brokers, ORDERCTL_TOPIC: 'sales', ORDERCTL_GROUP: 'shop' };

/** @throws whatever `orderctl __complete` would end with */
async function completed(...words: string[]): Promise<string[]> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  await runCommandLine(['__complete', ...words], new Session(new Printer(stdout, stderr), env, '/'));
  stdout.end();
  return (await text(stdout)).split('\n').filter((line) => line !== '');
}

/** Every command with its verbs. */
async function commandLines(): Promise<string[][]> {
  const lines: string[][] = [[]];
  for (const command of await completed('')) {
    lines.push([command]);
    if ((await completed(command, '-')).includes('--help')) {
      const verbs = (await completed(command, '')).filter((word) => VERB.test(word));
      lines.push(...verbs.map((verb) => [command, verb]));
    }
  }
  return lines;
}
const VERB = /^[a-z]+$/;

it('every flag completes in the place of its value, before and after it is begun', async () => {
  // Each of them may wait for a broker: once alone and once behind a command.
  const settings = (await completed('-')).filter((flag) => flag !== '--help');
  const asked: string[][] = [];
  for (const line of await commandLines()) {
    const flags = await completed(...line, '-');
    const own = flags.filter((flag) => !settings.includes(flag));
    for (const flag of line.length === 0 || line[0] === 'consume' ? flags : own) {
      asked.push([...line, flag, '']);
      if (line.length === 0) asked.push([`${flag}=o`]);
    }
  }
  // At once: nearly all of it is waiting.
  await Promise.all(
    asked.map((words) => expect(completed(...words), words.join(' ')).resolves.toBeDefined()),
  );
  expect(asked.length).toBeGreaterThan(150);
}, 240_000);

it.each([
  [
    ['--topic', ''],
    ['sales', 'sales.dlq'],
  ],
  [
    ['--topic', 's'],
    ['sales', 'sales.dlq'],
  ],
  [['--topic', 'o'], []],
  [['consume', '--group', ''], ['shop']],
  [
    ['consume', '-t', 's'],
    ['sales', 'sales.dlq'],
  ],
  [
    ['dlq', 'list', '--dlq-topic', ''],
    ['sales', 'sales.dlq'],
  ],
  [['--version', 'consume', '--topic', ''], []],
  [
    ['--topic', 'other', 'consume', '--dlq-topic', ''],
    ['other', 'other.dlq'],
  ],
])('%j: what is known here is offered, though no broker answers', async (words, expected) => {
  const written = [vi.spyOn(process.stdout, 'write'), vi.spyOn(process.stderr, 'write')];
  expect(await completed(...words)).toEqual(expected);
  for (const spy of written) expect(spy).not.toHaveBeenCalled();
});
