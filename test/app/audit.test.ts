import { describe, expect, it } from 'vitest';
import { audit, type AuditResult } from '../../src/app/audit/audit.ts';
import { deadLetter } from '../../src/app/run/batches/dead-letters.ts';
import { difference } from '../../src/domain/difference.ts';
import type { Edit } from '../../src/domain/edit.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { OrderCreated } from '../../src/domain/messages/checkout/order-created.ts';
import type { Item } from '../../src/domain/tables.ts';
import { decideRecords, recordOf, type DecidedRecord } from '../support/decided.ts';
import { FakeClock } from '../support/fake-clock.ts';
import type { Codec } from '../../src/ports/codec.ts';
import { JsonCodec } from '../support/json-codec.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { receive } from '../support/receive.ts';
import { collect } from '../support/store-history.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { returns } from '../unit/processors/example/returns.ts';

async function shop(clock = new FakeClock()): Promise<ModelFolder> {
  const folder = new ModelFolder(clock);
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'pen', quantity: 10 });
  return folder;
}

async function decideIn(folder: ModelFolder, ...records: DecidedRecord[]): Promise<void> {
  const store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
  await decideRecords(store, records);
  await store[Symbol.asyncDispose]();
}

const options = { topic: null, repair: false, onNotice: () => undefined };

function reported({ differences }: AuditResult): unknown[] {
  return differences.map(({ kind, expected, actual }) => [kind, expected, actual]);
}

describe('the books', () => {
  it('are compared for a user who may not ask the owner, which is said', async () => {
    const folder = await shop();
    expect(await audit(folder, options)).toMatchObject({ total: 0, ownerUnknown: null });
    folder.hidden = new Failure('read_failed', 'permission denied');
    expect(await audit(folder, options)).toMatchObject({
      total: 0,
      checked: { items: 1 },
      ownerUnknown: { message: 'permission denied' },
    });
  });

  it('balance over sales and edits in any order, without a clock', async () => {
    const folder = await shop();
    let offset = 0;
    for (const quantity of [3, 3, 10, 1, 0, 5]) {
      await decideIn(folder, recordOf('orders', offset++, `A-${offset}`, 'alice', { pen: 2 }));
      // A clock that was set back.
      (folder.clock as { time?: number }).time = 1_000 - offset;
      await folder.edit({ kind: 'item.update', item: 'pen', quantity });
    }
    await folder.edit({ kind: 'item.remove', item: 'pen' });
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 4 });
    await decideIn(folder, recordOf('orders', offset, 'LAST', 'alice', { pen: 4 }));
    expect(await audit(folder, options)).toMatchObject({ total: 0, checked: { items: 1, edits: 10 } });
  });

  it('balance over movements too, which go both ways between sales and edits', async () => {
    const folder = await shop();
    const move = async (delta: number): Promise<void> => {
      await using store = await folder.own({ purpose: 'test', via: 'consume', onNotice: () => undefined });
      const cause = delta < 0 ? 'sale' : 'restock';
      const movements = [{ item: 'pen', delta, cause, orderId: null, eventId: null } as const];
      await store.transact({}, () => ({ changes: { movements }, result: undefined }));
    };
    await move(-4);
    await decideIn(folder, recordOf('orders', 0, 'A-1', 'alice', { pen: 2 }));
    await move(4);
    await folder.edit({ kind: 'item.update', item: 'pen', quantity: 20 });
    await move(-5);
    await decideIn(folder, recordOf('orders', 1, 'A-2', 'alice', { pen: 1 }));
    await folder.edit({ kind: 'item.remove', item: 'pen' });
    await folder.edit({ kind: 'item.add', item: 'pen', quantity: 7 });
    await move(-1);
    expect(await audit(folder, options)).toMatchObject({ total: 0 });
    folder.tables.items.set('pen', pen(7));
    const { differences } = await audit(folder, options);
    expect(differences.map(({ message }) => message)).toEqual([
      'pen: 15 were added and 3 sold, and 6 taken by movements, which leaves 6; on hand: 7',
    ]);
  });

  it('balance over the movements of the processor that docs/how-it-works.md shows', async () => {
    const folder = await shop();
    await receive(folder, returns, [{ return_id: 'R-1', item: 'pen', quantity: 2 }]);
    expect(folder.tables.items.get('pen')?.quantity).toBe(12);
    expect(await audit(folder, options)).toMatchObject({ total: 0, services: { movements: 1 } });
  });

  const pen = (quantity: number): Item => ({
    item: 'pen',
    quantity,
    name: null,
    price: null,
    reorderLevel: null,
    extra: {},
  });

  it.each<[string, (folder: ModelFolder) => void, unknown[]]>([
    [
      'stock that nobody put in',
      (folder) => folder.tables.items.set('pen', pen(9)),
      [['stock_mismatch', 8, 9]],
    ],
    ['an item that is gone', (folder) => folder.tables.items.delete('pen'), [['stock_mismatch', 8, null]]],
    [
      'an item that nobody added',
      (folder) => folder.tables.items.set('book', { ...pen(1), item: 'book' }),
      [['stock_mismatch', null, 1]],
    ],
    [
      'a user that nobody changed',
      (folder) => folder.tables.users.set('alice', { user: 'alice', status: 'unpaid', extra: {} }),
      [['user_mismatch', 'paid', 'unpaid']],
    ],
    [
      'a price that nobody set',
      (folder) => folder.tables.items.set('pen', { ...pen(8), price: '1.00' }),
      [
        [
          'item_mismatch',
          '{"name":null,"price":null,"reorder_level":null}',
          '{"name":null,"price":"1.00","reorder_level":null}',
        ],
      ],
    ],
    [
      'a lost edit',
      (folder) => folder.log.splice(1, 1),
      [
        ['stock_before_mismatch', null, 10],
        ['stock_mismatch', null, 8],
      ],
    ],
    [
      'an edit that begins elsewhere',
      (folder) => {
        const edit: Edit = { kind: 'item', item: 'pen', before: pen(5), after: pen(6) };
        folder.apply({ edits: [edit] });
      },
      [
        ['edit_mismatch', 8, 5],
        ['stock_mismatch', 9, 6],
      ],
    ],
    ['a lost order', (folder) => folder.accepted.pop(), [['stock_mismatch', 10, 8]]],
    ['an order beyond the position', (folder) => folder.stored.clear(), [['position_mismatch', 0, 0]]],
  ])('do not with %s', async (_what, tamper, expected) => {
    const folder = await shop();
    await decideIn(folder, recordOf('orders', 0, 'A', 'alice', { pen: 2 }));
    tamper(folder);
    const result = await audit(folder, options);
    expect(reported(result)).toEqual(expected);
  });

  it('keep the first hundred differences and count all; what was repaired is reported', async () => {
    const folder = await shop();
    folder.found = Array.from({ length: 150 }, (_, at) => ({
      difference: difference('index_missing', `orders.jsonl:${at}`, { message: 'x', fix: null }),
    }));
    expect(await audit(folder, options)).toMatchObject({ total: 150, differences: { length: 100 } });
    const repaired = await audit(folder, { ...options, repair: true });
    expect(repaired).toMatchObject({ total: 0, repaired: { length: 100 } });
  });
});

describe('the books of a moment', () => {
  /** Commit 4 decides A and 5 decides B; commit 6 is an edit that begins elsewhere. */
  async function damaged(): Promise<ModelFolder> {
    const clock = new FakeClock();
    const folder = await shop(clock);
    for (const [at, orderId] of ['A', 'B'].entries()) {
      clock.time += 1_000;
      await decideIn(folder, recordOf('orders', at, orderId, 'alice', { pen: 2 }));
    }
    clock.time += 1_000;
    const row = folder.tables.items.get('pen');
    if (row === undefined) throw new Error('there is no pen');
    folder.apply({ edits: [{ kind: 'item', item: 'pen', before: { ...row, quantity: 5 }, after: row }] });
    folder.tables.items.set('pen', { ...row, quantity: 1 });
    folder.stored.clear();
    return folder;
  }

  it('are those of the logs up to then: what came later, and how the store is now, is no matter', async () => {
    const folder = await damaged();
    expect(reported(await audit(folder, options)).length).toBeGreaterThan(1);
    const seqs = (await collect((await folder.read()).history([]))).map(({ seq }) => seq ?? 0);
    const last = Math.max(...seqs);
    for (const [seq, orders, differences] of [
      [2, 0, []],
      [last - 2, 1, []],
      [last - 1, 2, []],
      [
        last,
        2,
        [
          ['edit_mismatch', 6, 5],
          ['stock_mismatch', 7, 6],
        ],
      ],
    ] as const) {
      const result = await audit(folder, { ...options, at: { kind: 'commit', seq } });
      expect(reported(result), `commit ${seq}`).toEqual(differences);
      expect(result, `commit ${seq}`).toMatchObject({ checked: { items: 1, orders }, asOf: { seq } });
    }
  });

  it('of a time are those of the last commit before it', async () => {
    const folder = await damaged();
    const at = { kind: 'time', ms: folder.clock.now() - 1_000 } as const;
    expect(await audit(folder, { ...options, at })).toMatchObject({ total: 0, checked: { orders: 2 } });
    const before = audit(folder, { ...options, at: { kind: 'time', ms: 0 } });
    await expect(before).rejects.toThrow('history starts at');
  });
});

describe('with the topic', () => {
  const A = recordOf('orders', 0, 'A', 'alice', { pen: 1 });

  /** A decided, a duplicate of it, a conflict, and a dead letter. */
  async function consumed(): Promise<{ folder: ModelFolder; broker: ScriptedBroker }> {
    const folder = await shop();
    const broker = new ScriptedBroker();
    broker.createTopic('orders');
    broker.createTopic('orders.dlq');
    const records = [A, A, recordOf('orders', 2, 'A', 'alice', { pen: 5 })];
    for (const { order } of records) broker.append('orders', 0, { value: encodeOrder(order) });
    broker.append('orders', 0, { value: new Uint8Array([7]) });
    await decideIn(
      folder,
      ...records.map(({ order }, offset) => ({ order, record: { ...A.record, offset } })),
    );
    folder.apply({
      positions: [
        { processor: 'orders', topic: 'orders', partition: 0, next: 4, last: null, clusterId: 'cluster-1' },
      ],
    });
    return { folder, broker };
  }

  function look(folder: ModelFolder, broker: ScriptedBroker): Promise<AuditResult> {
    const direct = { broker, codec: new PlainCodec(), topic: 'orders', dlqTopic: 'orders.dlq' };
    const createdCodec = new JsonCodec() as Codec<unknown> as Codec<OrderCreated>;
    return audit(folder, { ...options, topic: { ...direct, createdCodec, names: new Map() } });
  }

  function letter(): ReturnType<typeof deadLetter> {
    const record = { offset: 3, timestamp: 1, key: null, value: new Uint8Array([7]), headers: [] };
    const why = { kind: 'dead_letter', code: 'undecodable', stage: 'decode', message: 'no' } as const;
    const place = { topic: 'orders', partition: 0, offset: 3 };
    return deadLetter(record, place, why, { dlqTopic: 'orders.dlq', group: 'g', failedAt: 1 });
  }

  const ALL = { records: 4, deciding: 1, duplicates: 1, conflicts: 1, deadLetters: 1, skipped: 0 };

  it('every record ended in one place: a dead letter that was sent, waits, or is kept', async () => {
    const { folder, broker } = await consumed();
    broker.append('orders.dlq', 0, letter());
    expect(await look(folder, broker)).toMatchObject({ total: 0, topic: ALL });
    for (const place of ['outgoing', 'undelivered'] as const) {
      const other = await consumed();
      other.folder[place].push(letter());
      expect(await look(other.folder, other.broker)).toMatchObject({ total: 0, topic: ALL });
    }
  });

  it('a dead letter that is nowhere is missing, unless the dead-letter topic lost records', async () => {
    const { folder, broker } = await consumed();
    const missing = await look(folder, broker);
    expect(missing.differences).toMatchObject([{ kind: 'dead_letter_missing', where: 'orders/0@3' }]);
    broker.append('orders.dlq', 0, {});
    broker.append('orders.dlq', 0, {});
    broker.topics.get('orders.dlq')?.[0]?.shift();
    const deleted = await look(folder, broker);
    expect(deleted).toMatchObject({ total: 0, notes: [{ kind: 'dead_letters_deleted' }], topic: ALL });
  });

  it('a record that is not decided is unaccounted for, a skipped one is skipped', async () => {
    const { folder, broker } = await consumed();
    broker.append('orders.dlq', 0, letter());
    broker.append('orders', 0, { value: encodeOrder({ ...A.order, orderId: 'LOST' }) });
    const position = {
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      next: 5,
      last: null,
      clusterId: null,
    } as const;
    folder.apply({ positions: [position] });
    expect((await look(folder, broker)).differences).toMatchObject([
      { kind: 'record_unaccounted', orderId: 'LOST', where: 'orders/0@4' },
    ]);
    const move: Edit = {
      kind: 'position' as const,
      processor: 'orders' as const,
      topic: 'orders',
      partition: 0,
      before: 4,
      after: 5,
      cause: 'reset' as const,
    };
    folder.apply({ edits: [move] });
    expect(await look(folder, broker)).toMatchObject({
      total: 0,
      topic: { skipped: 1 },
      skips: [{ from: 4 }],
      // Those that made the tables; a move of a position is none.
      checked: { edits: 2 },
    });
  });

  it('a topic that was read and is gone is said to be so, with the way out that works', async () => {
    const { folder, broker } = await consumed();
    broker.topics.delete('orders');
    await expect(look(folder, broker)).rejects.toMatchObject({
      code: 'topic_changed',
      fix: { kind: 'other_cluster' },
    });
  });

  it('records beyond the position are not looked at, deleted ones are named', async () => {
    const { folder, broker } = await consumed();
    broker.append('orders.dlq', 0, letter());
    broker.append('orders', 0, { value: encodeOrder({ ...A.order, orderId: 'NEXT' }) });
    expect(await look(folder, broker)).toMatchObject({ total: 0, topic: ALL });
    broker.topics.get('orders')?.[0]?.shift();
    expect(await look(folder, broker)).toMatchObject({
      total: 0,
      topic: { records: 3, deciding: 0 },
      notes: [{ kind: 'records_deleted', where: 'orders/0@1' }],
    });
  });

  it('other content under the deciding record, and a position past the end, are reported', async () => {
    const { folder, broker } = await consumed();
    broker.append('orders.dlq', 0, letter());
    const log = broker.topics.get('orders')?.[0] ?? [];
    const [first] = log;
    if (first !== undefined) log[0] = { ...first, value: encodeOrder({ ...A.order, user: 'mallory' }) };
    expect(reported(await look(folder, broker))).toEqual([['record_mismatch', null, null]]);
    log.pop();
    expect(reported(await look(folder, broker))).toContainEqual(['position_mismatch', 3, 4]);
  });
});
