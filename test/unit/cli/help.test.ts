import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Session } from '../../../src/cli/session.ts';
import type { SettingSpec } from '../../../src/cli/settings/spec.ts';
import { SETTINGS } from '../../../src/cli/settings/table.ts';

async function help(...words: string[]): Promise<string> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  await runCommandLine(
    words[0] === 'help' ? words : [...words, '--help'],
    new Session(new Printer(stdout, stderr), {}, '/'),
  );
  stdout.end();
  return (await text(stdout)).replaceAll(/(?<=\S)\n(?=\S)/g, ' ');
}

it('help of edit mentions stock only for the inventory', async () => {
  expect(await help('inventory', 'edit')).toMatch(/A quantity counts as the difference[^]*"clamped"/);
  const users = await help('user', 'edit');
  expect(users).not.toMatch(/sold|quantity|clamped|below zero/i);
  expect(users).toContain('settle a users.csv that was set aside');
});

it('a noun names what it can do, and where the settings are that all commands have', async () => {
  const noun = await help('user');
  const places = ['Usage:', 'Commands:', 'EXAMPLES', 'Global options'].map((part) =>
    noun.search(new RegExp(`^${part}`, 'm')),
  );
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(noun).not.toMatch(/--storage <DIR>/);
  const settings = await help('help', 'settings');
  for (const spec of SETTINGS as readonly SettingSpec[]) {
    expect(settings).toContain(spec.isSecret === true ? spec.env : `--${spec.name.replaceAll('_', '-')}`);
  }
  expect(settings).toMatch(/--topic <NAME> +topic of orders \[orders\]/);
});
