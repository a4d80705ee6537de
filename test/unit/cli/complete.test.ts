import { readdirSync, readFileSync } from 'node:fs';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it, vi } from 'vitest';
import { SCOPES } from '../../../src/app/dlq/scope.ts';
import { runCommandLine } from '../../../src/cli/main.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Session } from '../../../src/cli/session.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { REFUSAL_CODES } from '../../../src/domain/topics/refusal.ts';
import { DEAD_LETTER_CODES } from '../../../src/ports/codec.ts';
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
      const verbs = (await completed(command, '')).filter(
        (word) => VERB.test(word) && !SCOPES.includes(word),
      );
      lines.push(...verbs.map((verb) => [command, verb]));
    }
  }
  return lines;
}
const VERB = /^[a-z]+$/;

/** Each command line with each of its flags; those of settings once alone and once behind a command. */
async function flagsOfCommands(): Promise<string[][]> {
  const settings = (await completed('-')).filter((flag) => flag !== '--help');
  const found: string[][] = [];
  for (const line of await commandLines()) {
    const flags = await completed(...line, '-');
    const own = flags.filter((flag) => !settings.includes(flag));
    found.push(...(line.length === 0 || line[0] === 'consume' ? flags : own).map((flag) => [...line, flag]));
  }
  return found;
}

/** What is offered for each of them. A switch takes no value. */
const offered = once(async (): Promise<Map<string, readonly string[]>> => {
  // At once: nearly all of it is waiting for a broker.
  const entries = (await flagsOfCommands()).map(async (words) => {
    const [line, flag = ''] = [words.slice(0, -1), words.at(-1)];
    const values = await completed(...line, `${flag}=`);
    return [words.join(' '), values.map((value) => value.replace(`${flag}=`, ''))] as const;
  });
  return new Map(await Promise.all(entries));
});

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

it('every flag completes in the place of its value, before and after it is begun', async () => {
  const found = await offered();
  expect(found.size).toBeGreaterThan(150);
  const settings = [...found].filter(([line]) => line.startsWith('--'));
  await Promise.all(
    settings.map(async ([flag, values]) => {
      const apart = await completed(flag, '');
      // Of a switch it is the place of a command.
      if (values.length > 0) expect(apart, flag).toEqual(values);
      await expect(completed(`${flag}=o`), flag).resolves.toBeDefined();
    }),
  );
}, 240_000);

/** The flags that take one of a list, and what a command line needs beside them. */
const LISTS: Readonly<Record<string, string>> = {
  'user add --status': 'user add bob',
  'user update --status': 'user update bob',
  'user show --status': 'user show',
  'order list --status': 'order list',
  'order list --reason': 'order list',
  'dlq list --state': 'dlq list',
  'report daily --format': 'report daily',
  'produce --flow': 'produce',
  'produce --source': 'produce',
  '--output': 'config show',
  '--log-level': 'config show',
  '--sasl-mechanism': 'config show',
  '--users': 'config show',
  '--dispatch': 'config show',
};

/** Flags that take one of a list and more, which is not in it. */
const OPEN_LISTS: Readonly<Record<string, string>> = {
  'offsets reset --to': 'offsets reset',
  'consume --reset-to': 'consume',
};

/** A word, or an address. */
const PLACES = ['--alerts', '--gateway'];
const PROCESSORS = /^(dlq|offsets|topics) \w+ --processor$/;
/** Codes, and whatever exception class other programs give. */
const CODES = /^dlq \w+ --reason$/;

/** What the refusal of a value says that a flag takes. */
async function taken(line: string, flag: string): Promise<string> {
  const streams = [new PassThrough(), new PassThrough()] as const;
  const session = new Session(new Printer(...streams), env, '/');
  const refusal: unknown = await runCommandLine([...line.split(' '), flag, 'nonsense'], session).catch(
    (error: unknown) => error,
  );
  if (!(refusal instanceof Failure)) throw new Error(`${line} ${flag} nonsense was not refused`);
  expect(refusal.code, line).toBe('invalid_value');
  const fix = typeof refusal.fix === 'string' ? refusal.fix : '';
  return `${refusal.message}; ${fix.replace('use one of ', 'use ')}`;
}

it('what is offered for a flag that takes one of a list is that list', async () => {
  const found = await offered();
  for (const [name, line] of Object.entries(LISTS)) {
    const refusal = await taken(line, name.split(' ').at(-1) ?? '');
    const list = /is not one of (.*?);/.exec(refusal)?.[1] ?? /; use (.*)$/.exec(refusal)?.[1];
    expect(list?.split(/, | or /), name).toEqual(found.get(name));
  }
  for (const [name, line] of Object.entries(OPEN_LISTS)) {
    const refusal = await taken(line, name.split(' ').at(-1) ?? '');
    expect(refusal, name).toContain(`; use ${found.get(name)?.join(', ') ?? 'none'}, an offset`);
  }
  expect(found.get('order list --reason')).toContain('no_price');
  expect(found.get('dlq list --reason')).toEqual([...DEAD_LETTER_CODES, ...REFUSAL_CODES, 'unknown']);
  expect(found.get('dlq list --processor')).toEqual(expect.arrayContaining(SCOPES));
  expect(found.get('offsets show --processor')).toEqual(SCOPES.filter((name) => name !== 'all'));
}, 240_000);

it('all flags for which words are offered are compared with what they take', async () => {
  const known = [':files', 'sales', 'sales.dlq', 'shop'];
  const words = [...(await offered())].filter(([, values]) => values.some((value) => !known.includes(value)));
  const names = words.map(([name]) => name.replace(/^consume (?=--(?!reset-to))/, ''));
  const others = names.filter((name) => !PROCESSORS.test(name) && !CODES.test(name));
  expect([...new Set(others)].sort()).toEqual(
    [...Object.keys(LISTS), ...Object.keys(OPEN_LISTS), ...PLACES].sort(),
  );
}, 240_000);

it('every list that a flag is checked against is offered', () => {
  const folder = new URL('../../../src/cli/', import.meta.url);
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.ts'),
  );
  const checked = files.flatMap((name) =>
    Array.from(
      readFileSync(new URL(name, folder), 'utf8').matchAll(/(?:choice|userStatus)\(\s*'(--[\w-]+)'/g),
      ([, flag = '']) => flag,
    ),
  );
  expect(checked.length).toBeGreaterThan(8);
  const listed = new Set(Object.keys(LISTS).map((name) => name.split(' ').at(-1)));
  for (const flag of checked) expect(listed, flag).toContain(flag);
});

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
