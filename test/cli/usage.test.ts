import { readFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EXIT_CODES } from '../../src/cli/exit.ts';
import { runCommandLine } from '../../src/cli/main.ts';
import { Printer } from '../../src/cli/output/printer.ts';
import { Session } from '../../src/cli/session.ts';
import { openStore } from '../../src/compose.ts';
import { isFailure, type Failure } from '../../src/domain/failure.ts';
import { failureOf, fill, openShop, runOrderctl } from '../support/cli.ts';
import { fixText } from '../support/ways-out.ts';

interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
  /** null: it ended with 0. */
  readonly failure: Failure | null;
}

/** Like runOrderctl, in this process: there are hundreds of them, and none gets to do anything. */
async function outcomeOf(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  let stdout = '';
  let stderr = '';
  const into = (take: (text: string) => void): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        take(text);
        done();
      },
    });
  const printer = new Printer(
    into((text) => (stdout += text)),
    into((text) => (stderr += text)),
  );
  const session = new Session(printer, env, os.tmpdir());
  try {
    await runCommandLine(words, session);
    return { stdout, stderr, failure: null };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { stdout, stderr, failure: error };
  }
}

/** Every command and noun with its help, as the root help and the nouns' help name them. */
const allHelp = onceOnly(async () => {
  const found = new Map<string, Outcome>();
  const ask = async (words: readonly string[]): Promise<void> => {
    const result = await outcomeOf([...words, '--help']);
    found.set(words.join(' '), result);
    const list = /^Commands:\n((?: {2}.*\n)+)/m.exec(result.stdout)?.[1] ?? '';
    const names = [...list.matchAll(/^ {2}([\w-]+)/gm)].map(([, name = '']) => name);
    for (const name of names.filter((name) => name !== 'help')) await ask([...words, name]);
  };
  await ask([]);
  return found;
});

/** Hundreds of command lines: every test that asks shares one answer. */
function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

describe('help', () => {
  // The first to load all of them.
  it(
    'is complete for every command, and fits a screen: 80 columns, 40 rows, most of it 24',
    { timeout: 90_000 },
    async () => {
      const all = await allHelp();
      const names = [...all.keys()];
      let long = 0;
      for (const name of [
        'user add',
        'user update',
        'user remove',
        'user show',
        'inventory add',
        'inventory update',
        'inventory remove',
        'inventory show',
        'produce',
        'consume',
        'replay',
        'status',
        'stop',
        'config show',
        'offsets show',
        'offsets reset',
        'offsets export',
        'offsets undo',
      ]) {
        expect(names).toContain(name);
      }
      for (const [name, { stdout, failure }] of all) {
        const what = `orderctl ${name} --help`;
        expect(failure, what).toBeNull();
        expect(Math.max(...stdout.split('\n').map((line) => line.length)), what).toBeLessThanOrEqual(80);
        const [usage = '', prose = ''] = stdout.split('\n\n');
        expect(usage, what).toContain(`Usage: orderctl ${name}`.trim());
        expect(prose.length, what).toBeGreaterThan(60);
        if (name !== '') expect(stdout, what).toMatch(/\nEXAMPLES\n(?: {2}# .+\n)? {2}orderctl /);
        const rows = stdout.trimEnd().split('\n').length;
        expect(rows, what).toBeLessThanOrEqual(40);
        long += rows > 24 ? 1 : 0;
        expect(stdout, what).toContain('orderctl help settings');
      }
      expect(long).toBeLessThan(all.size / 2);
    },
  );

  it('has only examples that the command line understands', async () => {
    const examples = new Set(
      [...(await allHelp()).values()].flatMap(({ stdout }) =>
        [...stdout.matchAll(/^ {2}orderctl (.+)$/gm)].map(([, line = '']) => line.split(/ [|>] /)[0] ?? ''),
      ),
    );
    expect(examples.size).toBeGreaterThan(50);
    for (const example of examples) {
      // The topic is looked at last, so everything before it must have been understood.
      const { failure } = await outcomeOf([...example.split(' '), '--topic', 'not a topic']);
      if (example.endsWith('--help')) expect(failure, example).toBeNull();
      else expect(failure?.message, example).toContain('--topic: "not a topic" is not a topic name');
    }
  });

  it.each([[[]], [['help']], [['user']], [['help', 'user', 'add']]])('is what %j prints', async (words) => {
    // The first of them by the built binary.
    const result = await (words.length === 0 ? runOrderctl(words) : openShop().run(words));
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('orderctl help settings');
  });
});

it.each(['--version', 'version', '-V'])('prints the version of package.json by %s', async (word) => {
  const file = path.resolve(import.meta.dirname, '../../package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  const result = await (word === '--version' ? runOrderctl([word]) : openShop().run([word]));
  expect(result).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('wrong usage', () => {
  it.each([
    ['usr show', 'unknown command "usr"', 'did you mean user?'],
    ['break kil-shop', 'KIND: kil-shop is not a kind', 'did you mean kill-shop?'],
    ['break earthquake', 'KIND: earthquake is not a kind', 'use one of kill-shop, kill-broker'],
    ['xyzzy', 'unknown command "xyzzy"', 'use one of: user'],
    ['user shw', 'unknown command "shw"', 'did you mean show?'],
    ['user ad', 'unknown command "ad"', 'did you mean add?'],
    ['inv show', 'unknown command "inv"', 'did you mean inventory?'],
    ['status -w', 'unknown option "-w"', 'did you mean --watch?'],
    ['produce --user bob --item pen --quantity x', '"x" is not a whole number', 'for example --quantity 2'],
    ['user show --usr x', 'unknown option "--usr"', 'did you mean --user?'],
    ['user add --usr x', 'unknown option "--usr"', 'did you mean --user?'],
    ['consume --until-ende', 'unknown option "--until-ende"', 'did you mean --until-end?'],
    ['user show --storag x', 'unknown option "--storag"', 'did you mean --storage?'],
    ['user show one extra', 'too many arguments', 'orderctl user show --help'],
    ['user show one --user two', 'both one and --user two', 'name one'],
    ['user update --status paid', 'no user is named', '--user'],
    ['inventory remove --yes', 'no item is named', 'book'],
    ['user rm bob', 'unknown command "rm"', 'did you mean remove?'],
    ['inventory create book', 'unknown command "create"', 'did you mean add?'],
    ['consume --from-beginning', 'unknown option "--from-beginning"', 'did you mean --reset-to earliest?'],
    ['consume -n 5', 'unknown option "-n"', 'did you mean --max-messages?'],
    ['produce -n 5', 'unknown option "-n"', 'did you mean --count?'],
    ['offsets show --bootstrap-server x', 'unknown option "--bootstrap-server"', 'did you mean --brokers?'],
    ['dev --broker-port 9999', 'unknown option "--broker-port"', 'did you mean --port?'],
    ['report show today --date yesterday', 'both today and --date yesterday', 'name one'],
    ['analytics show today', 'too many arguments', 'orderctl analytics show --help'],
    ['user show --json', 'unknown option "--json"', 'did you mean --output json?'],
    ['produce --delay 1 --rate 5', '--delay and --rate', 'one of them'],
    ['produce --rate 0', '--rate: "0"', '--rate 5'],
    ['produce --user a --item b=1 --count 2 --order-id X', '--order-id and --count', 'omit one'],
    [
      'produce --user a --item b=1 --item c',
      '1 --item and 0 --quantity',
      'add a quantity, for example: --item c=1',
    ],
    ['produce --user a --item b=x', '"x" is not a whole number', ''],
    ['user show --reason x', 'unknown option "--reason"', 'see: orderctl user show --help'],
    ['inventory show --item a --item b', '--item is given more than once', 'once'],
    ['produce --count 1 --count=2', '--count is given more than once', 'once'],
    ['dlq list --reason undecodable --reason x', '--reason is given more than once', 'once'],
    ['user show --user', '"--user <NAME>" argument missing', 'orderctl user show --help'],
    ['consume --partitions 0', '--partitions', '--reset-to'],
    ['consume --max-messages 0', '--max-messages: "0"', ''],
    ['consume --reset-to 2026-11-21T10:00:00', 'time zone', '2026-11-21T10:00:00Z is UTC'],
    ['consume --reset-to 2w', '--reset-to: "2w"', '2h'],
    ['produce --count 1e3', '--count: "1e3"', ''],
    ['produce --delay x', '--delay: "x"', ''],
    ['produce --count 1 --file x', '--file and --count', ''],
    ['produce --count 9 --from 3', '--from needs --seed', 'add --seed N'],
    ['produce --seed 1 --count 9 --from 10', '--from 10', ''],
    ['produce --from-line 3', '--from-line', '--file'],
    ['produce --order-id A --file x', '--order-id and --file', ''],
    ['replay --again', 'under new ids', '--as-new'],
    ['produce --user a --item b --quantity 1 --seed 1', '--user and --seed', ''],
    ['produce --user a --item b --item c --quantity 1', '2 --item and 1 --quantity', ''],
    ['produce --item b --quantity 1', '--user is missing', '--user bob'],
    ['produce --user a --item b --quantity 2147483648', '--quantity', ''],
    ['replay --since sometime', '--since: "sometime"', ''],
    ['replay --since 2026-01-02T00:00:00Z --until 2026-01-01T00:00:00Z', '--until', ''],
    ['replay --limit 0', '--limit', ''],
    ['replay --rejected', 'new ids', '--as-new'],
    ['offsets reset', '--to or --from-file', '--to earliest'],
    ['offsets reset --to 1 --from-file x', '--to and --from-file cannot be combined', ''],
    ['offsets reset --to sometime', '--to: "sometime" is not a place', '2h'],
    ['offsets reset --to 2w', '--to: "2w"', ''],
    ['offsets reset --to 2026-11-21', 'time zone', ''],
    ['offsets reset --to +', '--to: "+"', ''],
    ['offsets reset --to earliest --partitions all', '--partitions: "all"', ''],
    ['offsets undo --to 1', 'unknown option "--to"', ''],
    ['status --watsh', 'unknown option "--watsh"', 'did you mean --watch?'],
  ])('orderctl %s', async (args, message, fix) => {
    const { stdout, failure } = await outcomeOf(`--storage ${openShop().storage} ${args}`.split(' '));
    expect(stdout).toBe('');
    expect(EXIT_CODES[failure?.code ?? 'bug']).toBe(2);
    expect(failure?.code).toMatch(/^(usage|invalid_value)$/);
    expect(failure?.message).toContain(message);
    expect(failure === null ? '' : fixText(failure)).toContain(fix);
  });

  it.each([
    ['user shw', 'usage', 'unknown command "shw"'],
    ['produce --user a --item b --item c --quantity 1', 'usage', 'as many --quantity as --item'],
    ['consume --max-messages 0', 'invalid_value', '--max-messages: "0"'],
    ['offsets reset --to 2026-11-21', 'invalid_value', 'time zone'],
  ])('orderctl %s, by exit code, text and document', async (args, code, message) => {
    const shop = openShop();
    // One of them by the built binary.
    const { run } = code === 'usage' && args.startsWith('user') ? shop.built : shop;
    const [error = ''] = (await run(args)).stderr.split('\n');
    const result = await run(`${args} -o json`);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    expect(result.stderr.split('\n')).toHaveLength(2);
    expect(error).toMatch(/^error: /);
    expect(error).toContain(message);
    expect(failureOf(result)).toEqual({
      type: 'error',
      code,
      exit_code: 2,
      message: error.slice('error: '.length),
      fix: failureOf(result).fix,
      file: null,
      line: null,
      topic: null,
      partition: null,
      offset: null,
      order_id: null,
    });
  });

  it('is what the process ends with, as other failures are', async () => {
    const shop = openShop();
    fill(shop, { alice: 'paid' }, {});
    expect(await shop.built.run('user show --user nobody')).toMatchObject({ code: 3, stdout: '' });
    expect(await shop.built.run('user add --user alice --status paid')).toMatchObject({ code: 4 });
    shop.write('inventory.csv', 'item,quantity\npen,many\n');
    expect(await shop.built.run('inventory add --item a --quantity 1')).toMatchObject({ code: 6 });
  });

  it('is printed as JSON when the environment or the file asks for it', async () => {
    const shop = openShop();
    const inEnvironment = await shop.run('usr', { env: { ORDERCTL_OUTPUT: 'json' } });
    expect(failureOf(inEnvironment)).toMatchObject({ type: 'error', code: 'usage' });
    expect((await shop.run('usr')).stderr).not.toContain('"type"');
  });
});

it('warns of variables that look like a setting and are none, and does its work', async () => {
  const { stderr, failure } = await outcomeOf(['config', 'show'], { ORDERCTL_BROKER: 'kafka-1:9092' });
  expect(failure).toBeNull();
  expect(stderr).toBe(
    'warning: ORDERCTL_BROKER is not a setting and has no effect; did you mean ORDERCTL_BROKERS?\n',
  );
  const quiet = await outcomeOf(['config', 'show', '--quiet'], { ORDERCTL_BROKER: 'kafka-1:9092' });
  expect(quiet).toMatchObject({ stderr: '', failure: null });
});

it('takes the last of a setting that is given twice: an alias has one, which its caller overrides', async () => {
  const { stdout, failure } = await outcomeOf('--topic a config show --topic b -o json'.split(' '));
  expect(failure).toBeNull();
  expect(stdout).toContain('"b"');
});

describe('what needs no broker', () => {
  it('produce without users or items names the command that adds them', async () => {
    const shop = openShop();
    const noUsers = await shop.run('produce -o json');
    expect(noUsers.code).toBe(3);
    expect(failureOf(noUsers).fix).toContain('orderctl user add');
    await shop.ok('user add --user alice --status paid');
    const noItems = await shop.run('produce');
    expect(noItems.code).toBe(3);
    expect(noItems.stderr).toContain('orderctl inventory add');
  });

  it('produce of a file that is not there is not found', async () => {
    const result = await openShop().run('produce --file nowhere.ndjson -o json');
    expect(result.code).toBe(3);
    expect(failureOf(result)).toMatchObject({ code: 'not_found', file: 'nowhere.ndjson' });
  });

  it('offsets of a file that is not there, or is none', async () => {
    const shop = openShop();
    const absent = await shop.run('offsets reset --from-file nowhere.csv -o json');
    expect(absent.code).toBe(3);
    expect(failureOf(absent)).toMatchObject({ code: 'not_found', file: 'nowhere.csv' });
    const bad = await shop.run('offsets reset --from-file - -o json', { input: 'orders,0,1\norders,0\n' });
    expect(bad.code).toBe(6);
    expect(failureOf(bad)).toMatchObject({ code: 'invalid_input', file: '<stdin>', line: 2 });
  });

  it('status without a consumer: 3, and a document that says so', async () => {
    const shop = openShop();
    fill(shop, { alice: 'paid' }, {});
    const none = await shop.run('status -o json');
    expect(none.code).toBe(3);
    expect(failureOf(none)).toMatchObject({ code: 'not_found' });
    expect(failureOf(none).fix).toContain('orderctl consume');
    const { running, files, ...rest } = JSON.parse(none.stdout) as Record<string, unknown>;
    expect({ running, files }).toEqual({ running: false, files: [] });
    expect(Object.keys(rest)).toEqual([
      'pid',
      'started_at',
      'state',
      'waiting_for',
      'topic',
      'group',
      'orders_per_second',
      'lag',
      'last_commit_at',
      'counts',
      'processors',
      'instances',
      'problem',
    ]);
    expect(new Set(Object.values(rest))).toEqual(new Set([null]));
    expect(await shop.run('status')).toMatchObject({ code: 3, stdout: '' });
  });

  it('status and stop of a folder that is not there say that, not that no consumer runs', async () => {
    const shop = openShop();
    for (const command of ['status', 'stop']) {
      const result = await shop.run(`${command} --storage nowhere -o json`);
      expect(result.code).toBe(3);
      expect(failureOf(result)).toMatchObject({
        code: 'not_found',
        message: expect.stringMatching(/^there is no folder .*nowhere$/) as string,
      });
      fill(shop, { alice: 'paid' }, {});
      expect(failureOf(await shop.run(`${command} -o json`)).message).toMatch(/^no consumer runs on /);
    }
  });

  it('status while an edit owns the folder: no consumer runs', async () => {
    const shop = openShop();
    const access = await openStore({ storage: shop.storage, storePassword: null });
    await using store = await access.own({ purpose: 'edit', via: 'command', onNotice: () => undefined });
    expect(store.unsent().size).toBe(0);
    expect((await shop.run('status')).code).toBe(3);
  });

  it('replay of an empty log sends nothing and ends well', async () => {
    const shop = openShop();
    fill(shop, { alice: 'paid' }, {});
    const result = await shop.run('replay -o json', { env: { ORDERCTL_BROKERS: '127.0.0.1:1' } });
    expect(result.code).toBe(0);
    const summary = JSON.parse(result.stdout) as object;
    expect(Object.keys(summary)).toEqual([
      'type',
      'command',
      'topic',
      'replay_id',
      'dry_run',
      'selected',
      'sent',
      'failed',
      'fulfilled',
      'already_decided',
      'undecided',
      'interrupted',
      'resume_after',
      'seconds',
      'unknown',
    ]);
    expect(summary).toMatchObject({ type: 'summary', command: 'replay', sent: 0, selected: 0 });
  });
});
