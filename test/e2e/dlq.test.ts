import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { failureOf, openShop, parseLines, penShop, type Shop } from '../support/cli.ts';
import { deadAddress } from '../support/cluster.ts';
import { readByKcat, withoutKcat } from '../support/peers.ts';
import {
  confluentValue,
  createTopic,
  jsonOrder,
  readTopic,
  registerSchema,
  sendRaw,
} from '../support/topics.ts';
import { vendorHeaders } from '../support/vendor-letters.ts';
import { waitFor } from '../support/wait.ts';

/** A shop whose dead-letter topic holds these values, as orderctl put them there. */
async function withLetters(...values: (string | Buffer | null)[]): Promise<Shop> {
  const shop = penShop();
  await createTopic(shop.topic, 1);
  await sendRaw(
    shop.topic,
    values.map((value, i) => ({ key: `k${i}`, value, headers: { trace: 'abc' } })),
  );
  await shop.ok('consume --until-end');
  return shop;
}

async function idOf(shop: Shop, code: string): Promise<string> {
  const [letter] = await shop.lines(['dlq', 'list', '--reason', code]);
  return String(letter?.id);
}

describe('dlq list', () => {
  test('as text: a histogram, then the letters', async () => {
    const shop = await withLetters('hello', 'again', '{"order_id":"x"');
    const { stdout, stderr } = await shop.ok('dlq list');
    expect(stdout).toContain(`3 dead letters in ${shop.dlqTopic}: 3 open`);
    expect(stdout).toMatch(/REASON +COUNT/);
    expect(stdout).toMatch(/unknown_format +2 +█+\nundecodable +1 +█+\n/);
    expect(stdout).toMatch(/\d:\d +open +undecodable +20\S+Z +\S+\/0@2 +17 +the value is not valid JSON/);
    expect(stderr).toBe('');
    const limited = await shop.ok('dlq list --limit 1');
    expect(limited.stdout).toContain('3 dead letters');
    expect(limited.stdout.match(/open +un/g)).toHaveLength(1);
    expect(limited.stderr).toContain('and 2 more dead letters: --limit N lists more; without --limit, ');
  });

  test('as JSON: one object a line, then a summary', async () => {
    const shop = await withLetters('hello', '{"order_id":"x"');
    const [first, second, summary] = await shop.lines('dlq list');
    expect([first?.error_code, second?.error_code].sort()).toEqual(['undecodable', 'unknown_format']);
    const letter = first?.error_code === 'undecodable' ? first : second;
    expect(letter).toMatchObject({
      type: 'dead_letter',
      id: expect.stringMatching(/^\d+:\d+$/) as string,
      state: 'open',
      error_stage: 'decode',
      attempts: 1,
      original: { topic: shop.topic, partition: 0, offset: 1 },
      size_bytes: 17,
    });
    expect(summary).toMatchObject({
      type: 'summary',
      command: 'dlq list',
      total: 2,
      by_error_code: { undecodable: 1, unknown_format: 1 },
    });
    const none = await shop.lines('dlq list --since 2099-01-01T00:00:00Z');
    expect(none).toMatchObject([{ type: 'summary', total: 0, by_error_code: {} }]);
    const some = await shop.lines(
      'dlq list --reason undecodable --state open --original-topic ' + shop.topic,
    );
    expect(some).toHaveLength(2);
  });

  test('what was too large for the dead-letter topic is listed, shown and redriven by an id of its own', async () => {
    const shop = penShop();
    await createTopic(shop.topic, 1);
    await createTopic(shop.dlqTopic, 1, undefined, { 'max.message.bytes': '20000' });
    const value = `x${'y'.repeat(100_000)}`;
    await sendRaw(shop.topic, [{ key: 'big', value }]);
    await shop.ok('consume --until-end');
    const id = `kept:${shop.topic}/0@0`;
    expect(await shop.lines('dlq list')).toMatchObject([
      { id, state: 'open', error_code: 'unknown_format', size_bytes: value.length + 3 },
      { total: 1 },
    ]);
    expect((await shop.ok(`dlq show ${id}`)).stdout).toContain(`value: 100,001 bytes`);
    await shop.ok(`dlq redrive ${id} --execute`);
    const records = await readTopic(shop.topic);
    expect(records.map((record) => String(record.value))).toEqual([value, value]);
    expect(await shop.lines('dlq list --state redriven')).toMatchObject([{ id }, { total: 1 }]);
  });
});

describe('dlq show', () => {
  test('takes an Avro value apart up to the byte where it breaks', async () => {
    const schema = {
      type: 'record',
      name: 'Order',
      fields: [
        { name: 'order_id', type: 'string' },
        { name: 'user', type: 'string' },
        {
          name: 'items',
          type: {
            type: 'array',
            items: {
              type: 'record',
              name: 'Line',
              fields: [
                { name: 'item', type: 'string' },
                { name: 'quantity', type: 'int' },
              ],
            },
          },
        },
      ],
    };
    const id = await registerSchema(`${openShop().topic}-value`, schema);
    const whole = confluentValue(id, schema, {
      order_id: 'o-1',
      user: 'alice',
      items: [{ item: 'pen', quantity: 1 }],
    });
    const shop = await withLetters(whole.subarray(0, whole.length - 3));
    const letter = await idOf(shop, 'undecodable');
    const { stdout } = await shop.ok(`dlq show ${letter}`);
    expect(stdout).toContain(`dead letter ${letter} of ${shop.dlqTopic}: open`);
    expect(stdout).toContain(`decoded: Avro, schema ${id}`);
    expect(stdout).toContain('byte 5: order_id string = "o-1"');
    expect(stdout).toContain('byte 9: user string = "alice"');
    expect(stdout).toMatch(/byte 17: 3 bytes are needed, 2 are left/);
    expect(stdout).toContain('trace = abc');
    expect(stdout).toMatch(/00000000 {2}00 /);
    expect(stdout).toContain('it would fail again: undecodable');
    const shown = await shop.json(`dlq show ${letter}`);
    expect(shown).toMatchObject({
      id: letter,
      marked: null,
      key: { size_bytes: 2, hex: '6b30' },
      decoded: { format: 'avro', schema_id: id, error: { position: 17 } },
      now: { readable: false, error_code: 'undecodable' },
    });
  });

  test('shows JSON as text and where it stops being that', async () => {
    const shop = await withLetters('{"order_id":"x", "user" "é"}');
    const { stdout } = await shop.ok(['dlq', 'show', await idOf(shop, 'undecodable')]);
    expect(stdout).toContain('  {"order_id":"x", "user" "é"}');
    expect(stdout).toContain('byte 24: ":" is expected after a name, not "\\""');
  });

  test('ids and topics that are not there are 3, what is no id 2', async () => {
    const shop = await withLetters('hello');
    const letter = await idOf(shop, 'unknown_format');
    const [partition = '', offset = ''] = letter.split(':');
    const codes: [string, number, string][] = [
      [`${partition}:${Number(offset) + 1}`, 3, 'not_found'],
      ['99:0', 3, 'not_found'],
      ['kept:orders/0@1', 3, 'not_found'],
      ['17', 2, 'invalid_value'],
      [`${letter} --dlq-topic ${shop.topic}-none`, 3, 'topic_missing'],
    ];
    for (const [args, code, name] of codes) {
      const result = await shop.run(`dlq show ${args} -o json`);
      expect(result.code, result.stderr).toBe(code);
      expect(failureOf(result)).toMatchObject({ code: name });
      expect(result.stdout).toBe('');
    }
  });
});

describe('dlq redrive', () => {
  test.skipIf(withoutKcat)('a record of each vendor goes back to its topic, as kcat sees it', async () => {
    const shop = penShop();
    await createTopic(shop.topic, 3);
    const dlq = `${shop.topic}-foreign`;
    await createTopic(dlq, 2);
    const vendors = vendorHeaders(shop.topic);
    const values = Object.keys(vendors).map((vendor) => jsonOrder(`from-${vendor}`, 'alice', { pen: 1 }));
    await sendRaw(
      dlq,
      values.map((message, i) => ({ ...message, headers: { own: 'kept', ...Object.values(vendors)[i] } })),
    );
    const args = ['--dlq-topic', dlq];
    const listed = await shop.lines(['dlq', 'list', ...args]);
    expect(
      listed
        .slice(0, -1)
        .map((letter) => letter.format)
        .sort(),
    ).toEqual(Object.keys(vendors).sort());
    for (const letter of listed.slice(0, -1)) {
      expect(letter.original).toMatchObject({ topic: shop.topic, partition: 2, offset: 45 });
    }
    const dry = await shop.ok(['dlq', 'redrive', '--all', ...args]);
    expect(dry.stdout).toMatch(/nothing changed; add --execute\n$/);
    expect(await readTopic(shop.topic)).toEqual([]);
    const done = await shop.ok(['dlq', 'redrive', '--all', '--execute', ...args]);
    expect(done.stdout).toContain(`redrove ${values.length} dead letters: ${values.length} to ${shop.topic}`);

    const lines = await readByKcat(shop.topic);
    expect(lines).toHaveLength(values.length);
    for (const { key, value } of values) {
      const line = lines.find((candidate) => candidate.includes(`\t${String(key)}\t`)) ?? '';
      const [, , body, headers = ''] = line.split('\t');
      expect(body).toBe(value);
      expect(headers).toContain('own=kept');
      expect(headers).toContain(`x-original-topic=${shop.topic}`);
      expect(headers).toContain('x-original-partition=2');
      expect(headers).toContain('x-original-offset=45');
      expect(headers).toContain('x-replay-count=1');
      expect(headers).not.toMatch(/errors\.|kafka_|x-error-|x-exception-|dead-letter-|retry_topic/);
    }
    const { stdout } = await shop.ok('consume --until-end -o json');
    expect(JSON.parse(stdout)).toMatchObject({
      read: values.length,
      accepted: values.length,
      dead_lettered: 0,
    });
    expect(await shop.lines(['dlq', 'redrive', '--all', '--execute', ...args])).toMatchObject([
      { command: 'dlq redrive', selected: 0, sent: 0 },
    ]);
  });

  test('beside a running consumer, which refuses it again and counts its attempts, until it is quarantined', async () => {
    const shop = await withLetters('hello');
    const consumer = shop.host('consume');
    await consumer.says(/consuming/);
    for (const round of [1, 2, 3]) {
      await shop.ok('dlq redrive --all --execute');
      await waitFor(
        `letter of round ${round}`,
        () => readTopic(shop.dlqTopic),
        (all) => all.length === round + 1,
      );
    }
    await consumer.says(/edit: 1 dead letter of \S+ redriven/);
    const last = (await readTopic(shop.dlqTopic)).at(-1);
    expect(String(last?.headers['x-attempts'])).toBe('4');
    expect(String(last?.headers['x-replay-count'])).toBe('3');
    const refused = await shop.lines('dlq redrive --all --execute');
    expect(refused).toMatchObject([
      { type: 'skipped', reason: 'quarantined' },
      { type: 'summary', sent: 0, skipped: 1, skipped_by_reason: { quarantined: 1 } },
    ]);
    expect(await shop.lines('dlq redrive --all --max-redrives 4')).toMatchObject([
      { type: 'would_send', topic: shop.topic, offset: null },
      { dry_run: true, selected: 1 },
    ]);
    consumer.signal('SIGTERM');
    expect((await consumer.exited).code).toBe(0);
    const marks = shop.jsonl('.orderctl/edits.jsonl').filter((edit) => edit.kind === 'dead_letter');
    expect(marks).toHaveLength(3);
    expect(marks[0]).toMatchObject({ topic: shop.dlqTopic, action: 'redriven', via: 'command' });
  });

  test('the dry run says what would fail again, as dlq show does', async () => {
    const order = (user: string): string =>
      JSON.stringify({ order_id: `o-${user}`, user, items: [{ item: 'pen', quantity: 1 }] });
    const shop = await withLetters('hello', order('no name'));
    const headers = vendorHeaders(shop.topic).streams ?? {};
    await sendRaw(shop.dlqTopic, [{ value: order('alice'), headers }]);
    const lines = await shop.lines('dlq redrive --all');
    const steps = lines.slice(0, -1);
    for (const { id, now } of steps) {
      expect(now).not.toBeNull();
      expect(await shop.json(`dlq show ${String(id)}`)).toMatchObject({ now });
    }
    const codes = steps.map(({ now }) => (now as { error_code: string | null }).error_code);
    expect(codes.map(String).sort()).toEqual(['invalid_name', 'null', 'unknown_format']);
    expect(lines.at(-1)).toMatchObject({ command: 'dlq redrive', selected: 3, fails_again: 2 });

    const { stdout } = await shop.ok('dlq redrive --all');
    expect(stdout).toMatch(/^would send \d+:\d+ to \S+ \(\w+\); it would fail again: unknown_format, .+$/m);
    expect(stdout).toMatch(/^would send \d+:\d+ to \S+ \(\w+\); it would fail again: invalid_name, .+$/m);
    expect(stdout).toMatch(/^would send \d+:\d+ to \S+ \([^)]+\)$/m);
    expect(stdout).toContain(
      '\nwould fail again: 2; see: orderctl dlq show ID\nnothing changed; add --execute\n',
    );

    const done = await shop.lines('dlq redrive --all --execute');
    expect(done.at(-1)).toMatchObject({ sent: 3, fails_again: null });
    expect(done[0]).toMatchObject({ type: 'sent', now: null });
  });

  test('a dry run without a registry says what it does not know', async () => {
    const schema = { type: 'record', name: 'Order', fields: [{ name: 'order_id', type: 'string' }] };
    const id = await registerSchema(`${openShop().topic}-value`, schema);
    const shop = await withLetters(confluentValue(id, schema, { order_id: 'o-1' }));
    const env = { ORDERCTL_REGISTRY: `http://${await deadAddress()}` };
    const { code, stdout } = await shop.run('dlq redrive --all', { env });
    expect(code).toBe(0);
    expect(stdout).toMatch(/\nwhether they would fail again is unknown: .*registry.*\nnothing changed/);
    const json = await shop.run('dlq redrive --all -o json', { env });
    expect(parseLines(json.stdout)).toMatchObject([
      { type: 'would_send', now: null },
      { type: 'summary', fails_again: null },
    ]);
  });

  test('Ctrl-C ends it with 130, and the same command goes on: each letter once', async () => {
    const shop = penShop();
    await createTopic(shop.topic, 1);
    await createTopic(shop.dlqTopic, 1);
    const headers = vendorHeaders(shop.topic).streams ?? {};
    const total = 12_000;
    for (let from = 0; from < total; from += 2_000) {
      const messages = Array.from({ length: 2_000 }, (_, i) => ({ value: `v${from + i}`, headers }));
      await sendRaw(shop.dlqTopic, messages);
    }
    const running = shop.start('dlq redrive --all --execute -o json');
    await waitFor('something sent', () => running.stdout().includes('"sent"'));
    running.signal('SIGINT');
    const first = await running.exited;
    expect(first.code, first.stderr).toBe(130);
    expect(failureOf(first)).toMatchObject({ code: 'interrupted' });
    const summary = parseLines(first.stdout).at(-1);
    expect(summary).toMatchObject({ type: 'summary', interrupted: true });
    expect(summary?.sent).toBeLessThan(total);
    const rest = (await shop.lines('dlq redrive --all --execute')).at(-1);
    expect(Number(summary?.sent) + Number(rest?.sent)).toBe(total);
    const values = (await readTopic(shop.topic)).map((record) => String(record.value));
    expect(values).toHaveLength(total);
    expect(new Set(values).size).toBe(total);
  });

  test('without a selection, with two, or to the dead-letter topic itself it is refused', async () => {
    const shop = await withLetters('hello');
    const letter = await idOf(shop, 'unknown_format');
    const refused: [string, number, string][] = [
      ['', 2, 'usage'],
      [`${letter} --all`, 2, 'usage'],
      [`${letter} --reason x`, 2, 'usage'],
      ['--all --max 0', 2, 'invalid_value'],
      ['--all --since lately', 2, 'invalid_value'],
      [`--all --to-topic ${shop.dlqTopic}`, 2, 'invalid_value'],
      [`--all --to-topic ${shop.topic}-none`, 3, 'topic_missing'],
      ['99:0 --execute', 3, 'not_found'],
      [`--all --dlq-topic ${shop.topic}-none`, 3, 'topic_missing'],
    ];
    for (const [args, code, name] of refused) {
      const result = await shop.run(`dlq redrive ${args} -o json`);
      expect(result.code, `${args}: ${result.stderr}`).toBe(code);
      expect(failureOf(result), args).toMatchObject({ code: name });
    }
    expect(await readTopic(shop.topic)).toHaveLength(1);
  });
});

describe('dlq discard', () => {
  test('asks, logs who and why, and keeps the letter from redrive', async () => {
    const shop = await withLetters('hello', '{"order_id":"x"');
    const letter = await idOf(shop, 'unknown_format');
    const unasked = await shop.run(['dlq', 'discard', letter, '--why', 'a test']);
    expect(unasked.code).toBe(2);
    expect(unasked.stderr).toContain(`Discard 1 dead letter of ${shop.dlqTopic} (${letter} unknown_format)?`);
    expect(unasked.stderr).toContain('--yes');
    expect((await shop.run(`dlq discard ${letter} --yes`)).code).toBe(2);
    expect((await shop.run(`dlq discard 99:0 --why x --yes`)).code).toBe(3);
    const done = await shop.json(['dlq', 'discard', letter, '--why', 'a test', '--yes']);
    expect(done).toEqual({ topic: shop.dlqTopic, why: 'a test', discarded: [letter], skipped: [] });
    expect(shop.jsonl('.orderctl/edits.jsonl').at(-1)).toMatchObject({
      kind: 'dead_letter',
      action: 'discarded',
      why: 'a test',
      by: expect.stringMatching(/./) as string,
    });
    const shown = await shop.ok(`dlq show ${letter}`);
    expect(shown.stdout).toMatch(/discarded +20\S+Z by \S+: a test/);
    expect(await shop.lines('dlq list --state open')).toHaveLength(2);
    const redriven = await shop.lines(`dlq redrive ${letter} --execute`);
    expect(redriven[0]).toMatchObject({ type: 'skipped', id: letter, reason: 'discarded' });
    const again = await shop.json(['dlq', 'discard', letter, '--why', 'again', '--yes']);
    expect(again).toMatchObject({ discarded: [], skipped: [{ id: letter, state: 'discarded' }] });
    const text = await shop.ok(['dlq', 'discard', letter, '--why', 'again', '--yes']);
    expect(text.stdout).toBe(`discarded 0 dead letters of ${shop.dlqTopic}\n`);
  });
});

test('the dead letters of another processor, corrected and sent again', async () => {
  const { topic } = openShop();
  const name = `${topic}-created`;
  const others = ['orders.validated', 'orders.rejected'].map((one) => `${one}=${topic}-${one}`);
  const shop = penShop({ ORDERCTL_TOPICS: [`orders.created=${name}`, ...others].join(',') });
  await createTopic(name, 1);
  await sendRaw(name, [{ key: 'C-1', value: '{"order_id":"C-1"}' }]);
  await shop.ok('run validation --until-end');
  const dlq = `${name}.dlq`;
  const [letter, summary] = await shop.lines('dlq list --processor validation');
  const id = String(letter?.id);
  expect(letter).toMatchObject({
    topic: dlq,
    error_code: 'missing_field',
    group: `${shop.group}.validation`,
  });
  expect(id).toMatch(new RegExp(`^${dlq}:\\d:0$`));
  expect(summary).toMatchObject({ total: 1, topic: dlq });
  expect((await shop.ok(`dlq show ${id}`)).stdout).toContain('it would fail again: missing_field');
  expect((await shop.run('dlq list --processor nobody')).code).toBe(2);

  const file = path.join(shop.folder, 'order.json');
  const line = { product_id: 'pen', quantity: 1, unit_price: '1.00' };
  const order = { order_id: 'C-1', customer_id: 'alice', items: [line], total_amount: '1.00' };
  fs.writeFileSync(file, JSON.stringify(order));
  const still = await shop.run(['dlq', 'redrive', id, '--value', file, '--execute', '-o', 'json']);
  expect(still.code, still.stderr).toBe(6);
  expect(failureOf(still).message).toContain('shipping_address');
  fs.writeFileSync(file, JSON.stringify({ ...order, shipping_address: 'Road 1', created_at: 1 }));
  expect((await shop.run(['dlq', 'redrive', '--all', '--value', file])).code).toBe(2);
  const sent = await shop.lines(['dlq', 'redrive', id, '--value', file, '--execute']);
  expect(sent).toMatchObject([
    { type: 'sent', id, topic: name },
    { sent: 1, topic: dlq },
  ]);
  const { stdout } = await shop.ok('run validation --until-end -o json');
  expect(JSON.parse(stdout)).toMatchObject({ processors: [{ outcomes: { handled: 1 } }] });
  // The original is where it was, and marked.
  expect((await readTopic(dlq)).map(({ value }) => String(value))).toEqual(['{"order_id":"C-1"}']);
  expect(await shop.lines('dlq list --processor validation')).toMatchObject([{ id, state: 'redriven' }, {}]);
  expect((await shop.json(['dlq', 'discard', id, '--why', 'done', '--yes'])).skipped).toMatchObject([{ id }]);
});
