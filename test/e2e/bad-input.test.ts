import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { failureOf, fill, openShop } from '../support/cli.ts';
import { createTopic, jsonOrder, readTopic, sendRaw } from '../support/topics.ts';

describe('a file that is broken is refused with its line, and left as it is', () => {
  test.each([
    ['an unknown header', 'users.csv', 'name;state\nalice;paid\n', 'user show', 1],
    ['a header twice', 'users.csv', 'user,status,user\nalice,paid,bob\n', 'user show', 1],
    ['an unknown status', 'users.csv', 'user,status\nalice,paid\nbob,perhaps\n', 'user show', 3],
    ['a row with too many cells', 'users.csv', 'user,status\nalice,paid,extra,cells\n', 'user show', 2],
    ['an open quote', 'users.csv', 'user,status\n"alice,paid\n', 'user show', 2],
    ['a user twice', 'users.csv', 'user,status\nalice,paid\nalice,unpaid\n', 'user show', 3],
    ['a name that is a formula', 'users.csv', 'user,status\n=1+1,paid\n', 'user show', 2],
    ['a quantity with two signs', 'inventory.csv', 'item,quantity\nbook,--1\n', 'inventory show', 2],
    ['a fractional quantity', 'inventory.csv', 'item,quantity\nbook,1.5\n', 'inventory show', 2],
    ['no quantity', 'inventory.csv', 'item,quantity\npen,1\nbook,\n', 'inventory show', 3],
    ['a quantity in words', 'inventory.csv', 'item,quantity\nbook,ten\n', 'inventory show', 2],
  ])('%s', async (_what, file, text, command, line) => {
    const shop = openShop();
    shop.write(file, text);
    if (file === 'users.csv') shop.write('inventory.csv', 'item,quantity\npen,1\n');
    else shop.write('users.csv', 'user,status\nalice,paid\n');
    const writes =
      file === 'users.csv' ? 'user add --user x --status paid' : 'inventory add --item x --quantity 1';
    for (const args of [command, writes, 'consume --until-end']) {
      const result = await shop.run(`${args} -o json`);
      expect(result.code, `${args}: ${result.stderr}`).toBe(6);
      expect(failureOf(result), args).toMatchObject({
        type: 'error',
        code: 'corrupt_file',
        exit_code: 6,
        line,
      });
      expect(failureOf(result).file).toMatch(new RegExp(`${file}$`));
      expect(result.stderr).toContain(`${file}:${line}`);
      expect(failureOf(result).fix).not.toBeNull();
      expect(shop.read(file)).toBe(text);
    }
  });

  test('what spreadsheets write is accepted: BOM, CRLF, quotes, further columns, any order of them', async () => {
    const shop = openShop();
    shop.write('users.csv', '\uFEFFstatus,user,note\r\npaid,alice,"said ""hello"", twice"\r\n');
    shop.write('inventory.csv', '\uFEFFquantity,item\r\n5,"book"\r\n');
    expect(await shop.json('user show')).toEqual({
      users: [{ user: 'alice', status: 'paid', extra: { note: 'said "hello", twice' } }],
    });
    await shop.ok('user add --user bob --status paid');
    expect(await shop.json('user show --user alice')).toEqual({
      users: [{ user: 'alice', status: 'paid', extra: { note: 'said "hello", twice' } }],
    });
    expect(shop.read('users.csv')).toContain('"said ""hello"", twice"');
    expect(await shop.json('inventory show --item book')).toMatchObject({
      items: [{ item: 'book', quantity: 5 }],
    });
  });
});

describe('commands with wrong values', () => {
  test.each([
    ['user add --user =1+1 --status paid', 2],
    ['user add --user alice --status maybe', 2],
    ['user add --user alice', 2],
    ['user add --user alice --status paid --colour red', 2],
    ['user add --user there --status paid', 4],
    ['user update --user nobody --status paid', 3],
    ['user remove --user nobody --yes', 3],
    ['user remove --user nobody', 3],
    ['user remove --user there', 2],
    ['user show --user nobody', 3],
    ['inventory add --item @cmd --quantity 1', 2],
    ['inventory add --item book --quantity -1', 2],
    ['inventory add --item book --quantity 1.5', 2],
    ['inventory add --item book --quantity many', 2],
    ['inventory add --item thing --quantity 1', 4],
    ['inventory update --item nothing --quantity 1', 3],
    ['inventory update --item thing --by -6', 2],
    ['inventory update --item thing --by -1.5', 2],
    ['inventory update --item thing', 2],
    ['inventory update --item thing --by +1 --quantity 3', 2],
    ['inventory remove --item nothing --yes', 3],
    ['inventory remove --item nothing', 3],
    ['supplier remove nobody', 3],
    ['produce --count -1', 2],
    ['produce --count 1.5', 2],
    ['produce --delay -1', 2],
    ['produce --file missing.ndjson', 3],
    ['consume --reset-to yesterday', 2],
    ['consume --partitions 0', 2],
    ['consume --reset --partitions 0,x', 2],
    ['consume --max-messages 0', 2],
    ['replay --since 2026-02-30', 2],
    ['replay --order no-such-order', 3],
    ['--output xml user show', 2],
    ['--brokers nowhere user show', 2],
    ['frobnicate', 2],
  ])('%s: %i', async (args, code) => {
    const shop = openShop();
    shop.write('users.csv', 'user,status\nthere,paid\n');
    shop.write('inventory.csv', 'item,quantity\nthing,5\n');
    const before = [shop.read('users.csv'), shop.read('inventory.csv')];
    const result = await shop.run(args);
    expect(result.code, `${result.stdout}${result.stderr}`).toBe(code);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^error: ./m);
    expect(result.stderr).not.toMatch(/^ +at /m);
    expect([shop.read('users.csv'), shop.read('inventory.csv')]).toEqual(before);
  });
});

test('produce without users or items names the command that adds them', async () => {
  const shop = openShop();
  const result = await shop.run('produce');
  expect(result.code, result.stderr).toBe(3);
  expect(result.stderr).toMatch(/orderctl user add/);
  await shop.ok('user add --user alice --status paid');
  const second = await shop.run('produce');
  expect(second.code).toBe(3);
  expect(second.stderr).toMatch(/orderctl inventory add/);
});

test('produce --file is checked whole before the first is sent; sent twice it is the same orders', async () => {
  const shop = openShop();
  await createTopic(shop.topic, 1);
  const good = '{"user":"alice","items":[{"item":"pen","quantity":1}],"colour":"red"}';
  const file = path.join(shop.folder, 'orders.ndjson');
  fs.writeFileSync(file, `${good}\n${good}\n{"user":"alice"}\n${good}\n`);
  const result = await shop.built.run('produce --file orders.ndjson -o json');
  expect(result.code, result.stderr).toBe(6);
  expect(failureOf(result)).toMatchObject({ exit_code: 6, line: 3 });
  expect(result.stderr).toMatch(/orders\.ndjson:3/);
  expect(result.stderr).toMatch(/nothing was sent/);
  expect(await readTopic(shop.topic)).toEqual([]);
  fs.writeFileSync(file, `${good}\n\n${good}\n${good}\n`);
  const idsOf = (lines: readonly Record<string, unknown>[]): unknown[] =>
    lines.slice(0, -1).map(({ order_id }) => order_id);
  const whole = await shop.lines(`produce --file ${file}`);
  expect(new Set(idsOf(whole)).size).toBe(3);
  expect(idsOf(await shop.lines(`produce --file ${file}`))).toEqual(idsOf(whole));
  expect(idsOf(await shop.lines(`produce --file ${file} --from-line 2`))).toEqual(idsOf(whole).slice(1));
  const beyond = await shop.run(`produce --file ${file} --from-line 9`);
  expect(beyond.code).toBe(2);
  // The same bytes by another way.
  const text = fs.readFileSync(file, 'utf8');
  expect(idsOf(await shop.lines('produce --file -', { input: text }))).toEqual(idsOf(whole));
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const samples = await shop.lines('produce --seed 7 --count 9');
  expect(idsOf(await shop.lines('produce --seed 7 --count 9 --from 4'))).toEqual(idsOf(samples).slice(3));
  const named = await shop.lines('produce --user alice --item pen --quantity 1 --order-id MINE-1');
  expect(idsOf(named)).toEqual(['MINE-1']);
  const piped = await shop.lines('produce --file -', { input: `${good}\n` });
  expect(piped.at(-1)).toMatchObject({ sent: 1 });
});

test('a topic that is missing is made with a word, or refused with --no-create', async () => {
  const shop = openShop();
  fill(shop, { alice: 'paid' }, { pen: 5 });
  const refused = await shop.run('consume --until-end --no-create');
  expect(refused.code, refused.stderr).toBe(3);
  expect(refused.stderr).toContain(shop.topic);
  const made = await shop.ok('consume --until-end');
  expect(made.stderr).toContain(shop.topic);
});

/** A file system of 1 MiB: only root may mount one. */
function mountSmall(folder: string): boolean {
  fs.mkdirSync(folder, { recursive: true });
  const { status } = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder]);
  if (status !== 0) return false;
  onTestFinished(() => {
    spawnSync('umount', [folder]);
  });
  return true;
}

test('a full disk ends it with 7, and with room again everything is there once', async (context) => {
  const shop = openShop();
  if (!mountSmall(shop.storage)) {
    process.stderr.write('SKIPPED: a full disk, since no file system can be mounted here\n');
    return context.skip();
  }
  fill(shop, { alice: 'paid' }, { pen: 100_000 });
  await createTopic(shop.topic, 1);
  await sendRaw(
    shop.topic,
    Array.from({ length: 8_000 }, (_, i) => jsonOrder(`d-${i}`, 'alice', { pen: 1 })),
  );
  const result = await shop.run('consume --until-end -o json');
  expect(result.code, result.stderr).toBe(7);
  expect(failureOf(result)).toMatchObject({ code: 'write_failed', exit_code: 7 });
  expect(failureOf(result).fix).not.toBeNull();

  expect(spawnSync('mount', ['-o', 'remount,size=64m', shop.storage]).status).toBe(0);
  await shop.ok('consume --until-end');
  const ids = shop.jsonl('orders.jsonl').map((order) => order.order_id);
  expect(ids).toHaveLength(8_000);
  expect(new Set(ids).size).toBe(8_000);
  expect(shop.stock()).toEqual({ pen: 92_000 });
});
