import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Session } from '../../../src/cli/session.ts';
import { messagesOf } from '../../support/cli.ts';

/* What a user has saved and nothing of which counts is said by every command until it is dealt with. */

let folder: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-kept-'));
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

async function run(words: string, said = { stdout: '', stderr: '' }): Promise<typeof said> {
  const into = (name: keyof typeof said): Writable =>
    new Writable({
      decodeStrings: false,
      write(text: string, _encoding, done) {
        said[name] += text;
        done();
      },
    });
  const session = new Session(new Printer(into('stdout'), into('stderr')), {}, os.tmpdir());
  await runCommandLine([...words.split(' '), '--storage', folder], session);
  return words.includes('json') ? { ...said, stderr: messagesOf(said) } : said;
}

/** Saves as an editor does that was done a while ago. */
function save(file: string, text: string): void {
  fs.writeFileSync(path.join(folder, file), text);
  const past = Date.now() / 1_000 - 60;
  fs.utimesSync(path.join(folder, file), past, past);
}

test('a file from which most rows are missing is kept aside, and every command says so until it is gone', async () => {
  save('inventory.csv', 'item,quantity\nbook,10\npen,50\nnotebook,20\nlamp,5\n');
  await run('user add --user alice --status paid');
  save('inventory.csv', 'item,quantity\nbook,10\n');
  const kept = path.join(folder, 'inventory.csv.rows_missing.conflict');
  const warning = `warning: ${kept} was set aside, and none of its changes apply: more than half of its rows are missing; to carry over its changes: orderctl --storage ${folder} inventory edit --settled`;

  const shown = await run('inventory show -o json');
  expect(shown.stderr).toMatch(/^warning: .*inventory\.csv cannot be applied and will be set aside: more/);
  expect(JSON.parse(shown.stdout)).toMatchObject({ items: { length: 4 } });
  const first = await run('inventory update --item pen --by -1');
  expect(first.stderr).toContain(warning);
  expect(fs.readFileSync(kept, 'utf8')).toBe('item,quantity\nbook,10\n');
  for (const words of ['user show', 'inventory show -o json', 'audit', 'order list']) {
    const { stdout, stderr } = await run(words);
    expect(
      stderr.split('\n').filter((line) => line.startsWith(warning)),
      words,
    ).toHaveLength(1);
    expect(stdout).not.toContain('kept aside');
    if (words.endsWith('json')) expect(JSON.parse(stdout)).toMatchObject({ items: { length: 4 } });
  }
  for (const words of ['config show', 'setup --help']) expect((await run(words)).stderr, words).toBe('');
  const said = { stdout: '', stderr: '' };
  await expect(run('stop', said)).rejects.toThrow('no consumer runs');
  expect(said.stderr).toBe('');
  fs.rmSync(kept);
  expect((await run('inventory show')).stderr).toBe('');
});

test('beside a broken file the last good values are shown, with what is wrong and where', async () => {
  save('inventory.csv', 'item,quantity\nbook,10\n');
  await run('user add --user alice --status paid');
  save('inventory.csv', 'item,quantity\nbook,many\n');
  const { stdout, stderr } = await run('inventory show -o json');
  expect(JSON.parse(stdout)).toMatchObject({ items: [{ item: 'book', quantity: 10 }] });
  expect(stderr).toMatch(/^warning: .*inventory\.csv:2: quantity of book is "many".*the last valid values/);
  expect((await run('user show')).stdout).toContain('alice');
});

test('a merge says which version it was made from', async () => {
  save('inventory.csv', 'item,quantity\nbook,10\npen,50\n');
  await run('user add --user alice --status paid');
  save('inventory.csv', 'item,quantity\nbook,10\npen,60\n');
  const { stderr } = await run('inventory update --item book --by 1');
  expect(stderr).toMatch(
    /inventory\.csv: applied a hand edit of 1 row \(pen\), made from the save of \d\d:\d\d:\d\d\n/,
  );
});

test('a file that was put back to an earlier version is warned of, and an audit counts the rows', async () => {
  const file = path.join(folder, 'users.csv');
  await run('user add --user a --status paid');
  const earlier = fs.readFileSync(file);
  await run('user add --user b --status paid');
  await run('user add --user c --status paid');
  const written = fs.readFileSync(file);
  fs.writeFileSync(file, earlier);

  const { stdout, stderr } = await run('user show');
  expect(stdout).toContain('c');
  expect(stderr).toMatch(/^warning: .*users\.csv was saved with exactly the content of an earlier version/);
  const said = { stdout: '', stderr: '' };
  await expect(run('audit', said)).rejects.toMatchObject({
    code: 'audit_mismatch',
    fix: 'orderctl audit --repair',
  });
  expect(said.stdout).toContain('users.csv is an older version of the file: 2 rows are behind; ');
  await run('user update --user a --status paid');
  expect(fs.readFileSync(file)).toEqual(written);
  expect((await run('user show')).stderr).toBe('');

  // Older than the version after it: what a crash leaves behind is no save.
  fs.writeFileSync(file, earlier);
  fs.utimesSync(file, 1, 1);
  expect((await run('user show')).stderr).toBe('');
});
