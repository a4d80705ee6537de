import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { failureOf, openShop, runOrderctl } from '../support/cli.ts';

/** Every command and noun, as the root help and the nouns' help name them. */
async function allCommands(): Promise<string[][]> {
  const found: string[][] = [[]];
  // Grows while it is walked: commands have commands.
  for (const words of found) {
    const { stdout } = await runOrderctl([...words, '--help']);
    const list = /^Commands:\n((?: {2}.*\n)+)/m.exec(stdout)?.[1] ?? '';
    for (const [, name = ''] of list.matchAll(/^ {2}(\S+)/gm))
      if (name !== 'help') found.push([...words, name]);
  }
  return found;
}

describe('help', () => {
  it('is complete for every command, and fits 80 columns', async () => {
    const commands = await allCommands();
    const names = commands.map((words) => words.join(' '));
    for (const name of [
      ...['user add', 'user update', 'user remove', 'user show'],
      ...['inventory add', 'inventory update', 'inventory remove', 'inventory show'],
      ...['produce', 'consume', 'replay', 'config show'],
    ]) {
      expect(names).toContain(name);
    }
    for (const words of commands) {
      const { code, stdout, stderr } = await runOrderctl([...words, '--help']);
      const what = `orderctl ${words.join(' ')} --help`;
      expect({ code, stderr }, what).toEqual({ code: 0, stderr: '' });
      expect(Math.max(...stdout.split('\n').map((line) => line.length)), what).toBeLessThanOrEqual(80);
      const [usage = '', prose = ''] = stdout.split('\n\n');
      expect(usage, what).toContain(`Usage: ${['orderctl', ...words].join(' ')}`);
      expect(prose.length, what).toBeGreaterThan(60);
      expect(stdout, what).toMatch(/\nEXAMPLES\n {2}# .+\n {2}orderctl /);
      for (const common of ['--storage', 'ORDERCTL_BROKERS', 'NO_COLOR', 'default: orders']) {
        expect(stdout, what).toContain(common);
      }
    }
  });

  it('has only examples that the command line understands', async () => {
    for (const words of await allCommands()) {
      const { stdout } = await runOrderctl([...words, '--help']);
      const examples = [...stdout.matchAll(/^ {2}orderctl (.+)$/gm)].map(([, line = '']) => line);
      for (const example of examples) {
        const [command = ''] = example.split(' | ');
        // Help is asked for last, so everything before it must have been understood.
        const result = await runOrderctl([...command.split(' '), '--topic', 'not a topic']);
        const isHelp = command.endsWith('--help');
        expect(result.stderr, example).toContain(isHelp ? '' : '--topic: "not a topic" is not a topic name');
      }
    }
  });

  it.each([[[]], [['help']], [['user']], [['help', 'user', 'add']]])('is what %j prints', async (words) => {
    const result = await runOrderctl(words);
    expect(result).toMatchObject({ code: 0, stderr: '' });
    expect(result.stdout).toContain('EXAMPLES');
  });
});

it('prints the version of package.json', async () => {
  const file = path.resolve(import.meta.dirname, '../../package.json');
  const { version } = JSON.parse(readFileSync(file, 'utf8')) as { version: string };
  expect(await runOrderctl(['--version'])).toMatchObject({ code: 0, stdout: `${version}\n`, stderr: '' });
});

describe('wrong usage', () => {
  it.each([
    ['usr show', 'unknown command "usr"', 'did you mean user?'],
    ['xyzzy', 'unknown command "xyzzy"', 'use one of: user'],
    ['user shw', "unknown command 'shw'", 'did you mean show?'],
    ['user show --usr x', "unknown option '--usr'", 'did you mean --user?'],
    ['user add --usr x', "unknown option '--usr'", 'did you mean --user?'],
    ['consume --until-ende', "unknown option '--until-ende'", 'did you mean --until-end?'],
    ['user show --storag x', "unknown option '--storag'", 'did you mean --storage?'],
    ['user show extra', 'too many arguments', 'orderctl user show --help'],
    ['user show --user', "'--user <NAME>' argument missing", 'orderctl user show --help'],
    ['consume --partitions 0', '--partitions', '--reset-to'],
    ['consume --max-messages 0', '--max-messages: "0"', ''],
    ['consume --reset-to 2026-11-21T10:00:00', 'time zone', '2026-11-21T10:00:00Z is UTC'],
    ['consume --reset-to -5', '--reset-to: "-5"', ''],
    ['produce --count 1e3', '--count: "1e3"', ''],
    ['produce --delay x', '--delay: "x"', ''],
    ['produce --count 1 --file x', '--file and --count', ''],
    ['produce --user a --item b --quantity 1 --seed 1', '--user and --seed', ''],
    ['produce --user a --item b --item c --quantity 1', 'as many --quantity as --item', ''],
    ['produce --item b --quantity 1', '--user', ''],
    ['produce --user a --item b --quantity 2147483648', '--quantity', ''],
    ['replay --since yesterday', '--since: "yesterday"', ''],
    ['replay --since 2026-01-02T00:00:00Z --until 2026-01-01T00:00:00Z', '--until', ''],
    ['replay --limit 0', '--limit', ''],
    ['replay --rejected', 'new ids', '--as-new'],
  ])('orderctl %s', async (args, message, fix) => {
    const shop = openShop();
    const result = await shop.run(`${args} -o json`);
    expect(result).toMatchObject({ code: 2, stdout: '' });
    const [error = ''] = result.stderr.split('\n');
    expect(error).toMatch(/^error: /);
    expect(error).toContain(message);
    expect(result.stderr).toContain(fix);
    expect(failureOf(result)).toEqual({
      type: 'error',
      code: expect.stringMatching(/^(usage|invalid_value)$/) as string,
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

  it('is told as JSON when the environment or the file asks for it', async () => {
    const shop = openShop();
    const inEnvironment = await shop.run('usr', { env: { ORDERCTL_OUTPUT: 'json' } });
    expect(failureOf(inEnvironment)).toMatchObject({ type: 'error', code: 'usage' });
    expect((await shop.run('usr')).stderr).not.toContain('"type"');
  });
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

  it('replay of an empty log sends nothing and ends well', async () => {
    const result = await openShop().run('replay -o json', { env: { ORDERCTL_BROKERS: '127.0.0.1:1' } });
    expect(result.code).toBe(0);
    const summary = JSON.parse(result.stdout) as object;
    expect(Object.keys(summary)).toEqual([
      ...['type', 'command', 'topic', 'replay_id', 'dry_run', 'selected', 'sent', 'failed'],
      ...['already_decided', 'undecided', 'interrupted', 'resume_after', 'seconds'],
    ]);
    expect(summary).toMatchObject({ type: 'summary', command: 'replay', sent: 0, selected: 0 });
  });
});
