import { FileStore } from '../../src/adapters/files/store.ts';
import type { RecordResult } from '../../src/app/run/events.ts';
import { formatRecordId } from '../../src/domain/orders/order.ts';
import type { Broker, BrokerRecord, SendRecord } from '../../src/ports/broker.ts';
import { DEAD_LETTER_CODES, type OrderCodec } from '../../src/ports/codec.ts';
import { lastHeader } from '../../src/ports/record.ts';
import { FakeRegistry } from '../support/fake-registry.ts';
import { orderCodecOn } from '../support/order-codec.ts';
import { FaultyFs } from '../support/faulty-fs.ts';
import { ordersRunner, type OrdersRunner } from '../support/orders-runner.ts';
import { ManualClock } from '../simulate/manual-clock.ts';
import { expectHonest, foreignWriters, HONEST, type Writer } from './foreign-records.ts';
import { draws, makeValue, sampleOrders, type Draw, type Material } from './hostile-records.ts';

/*
 * Records that no honest producer sends, through the consumer's own path: codec, decision, store, dead letters. Each
 * ends in one place, and nothing but that changes.
 */

const FOLDER = '/fuzz/storage';
const TOPIC = 'orders';
const STOCK = 1_000;
const TIMESTAMPS = [0, 1_700_000_000_000, -1, 2 ** 53, -(2 ** 53)];
const BATCH_RECORDS = 100;
const BATCHES_PER_FOLDER = 10;
/** What all bombs together may take: far less than one of them claims. */
const MAX_HEAP_GROWTH_BYTES = 512 * 2 ** 20;

/** Types whose values can claim what they do not hold. */
const BOMBS: readonly unknown[] = [
  { type: 'array', items: 'null' },
  { type: 'array', items: 'string' },
  { type: 'array', items: { type: 'array', items: 'null' } },
  { type: 'map', values: 'null' },
  { type: 'array', items: { type: 'record', name: 'Nothing', fields: [] } },
  'string',
  'bytes',
  { type: 'fixed', name: 'Big', size: 2_000_000_000 },
  { type: 'record', name: 'Chain', fields: [{ name: 'next', type: ['null', 'Chain'] }] },
];

interface Materials extends Material {
  readonly foreign: readonly Writer[];
}

export interface RecordCounts {
  records: number;
  orders: number;
  duplicates: number;
  deadLetters: number;
  byCode: Record<string, number>;
}

/** @throws Error what was found, naming seed and record */
export async function fuzzRecords(seed: number, records: number, counts: RecordCounts): Promise<void> {
  const registry = await FakeRegistry.start();
  try {
    const codec = orderCodecOn(registry);
    const material: Materials = {
      avro: (await codec.encode(sampleOrders())).map((value) => Buffer.from(value)),
      bombIds: BOMBS.map((type) =>
        registry.add('theirs', { type: 'record', name: 'P', fields: [{ name: 'x', type }] }),
      ),
      unknownId: 9_999,
      foreign: foreignWriters(draws(seed), registry),
    };
    const startBytes = process.memoryUsage().heapUsed;
    const end = counts.records + records;
    for (let folder = 0; counts.records < end; folder++) {
      await fuzzFolder(seed + folder, codec, material, counts);
      if (process.memoryUsage().heapUsed - startBytes > MAX_HEAP_GROWTH_BYTES) {
        throw new Error(`seed ${seed + folder}: memory grows`);
      }
    }
  } finally {
    await registry.stop();
  }
}

export function noRecordCounts(): RecordCounts {
  return { records: 0, orders: 0, duplicates: 0, deadLetters: 0, byCode: {} };
}

interface Sent {
  readonly value: Uint8Array | null;
  readonly key: Uint8Array | string | null;
  readonly code: string;
  readonly offset: number;
}

async function fuzzFolder(
  seed: number,
  codec: OrderCodec,
  material: Materials,
  counts: RecordCounts,
): Promise<void> {
  const draw = draws(seed);
  const files = new FaultyFs(seed);
  files.put(`${FOLDER}/users.csv`, Buffer.from('user,status\nalice,paid\nbob,unpaid\n'));
  files.put(`${FOLDER}/inventory.csv`, Buffer.from(`item,quantity\nbook,${STOCK}\npen,${STOCK}\n`));
  const sent: Sent[] = [];
  const results: RecordResult[] = [];
  const store = await openStore(files);
  const processor = processorOf(store, codec, sent, results);
  const read: BrokerRecord[] = [];
  try {
    for (let batch = 0; batch < BATCHES_PER_FOLDER; batch++) {
      const from = read.length;
      for (let index = 0; index < BATCH_RECORDS; index++) read.push(makeRecord(draw, material, from + index));
      await processor.process({
        topic: TOPIC,
        partition: 0,
        records: read.slice(from),
        next: read.length,
        highWatermark: read.length,
        clusterId: 'fuzz',
        fingerprint: (index) => ({ offset: from + index, timestamp: 0, crc: index }),
      });
    }
    expectOnePlaceEach(read, results, sent);
    expectHonest(read, results);
    await expectStock(store, files, results);
  } catch (error) {
    throw new Error(`seed ${seed}, in or before record ${read.length}`, { cause: error });
  } finally {
    await store[Symbol.asyncDispose]();
  }
  await using again = await openStore(files);
  await expectStock(again, files, results);
  counts.records += read.length;
  for (const result of results) {
    if (result.kind === 'dead_letter') {
      counts.deadLetters += 1;
      counts.byCode[result.code] = (counts.byCode[result.code] ?? 0) + 1;
    } else if (result.kind === 'duplicate') counts.duplicates += 1;
    else counts.orders += 1;
  }
}

function openStore(files: FaultyFs): Promise<FileStore> {
  return FileStore.open({
    files,
    folder: FOLDER,
    clock: new ManualClock(),
    user: 'fuzz',
    via: 'consume',
    onNotice: () => undefined,
  });
}

function makeRecord(draw: Draw, material: Materials, offset: number): BrokerRecord {
  const { below, bytes, pick } = draw;
  if (below(4) === 0) {
    const value = pick(material.foreign)(draw);
    return { offset, timestamp: pick(TIMESTAMPS), key: null, value, headers: [[HONEST, null]] };
  }
  return {
    offset,
    timestamp: pick(TIMESTAMPS),
    key: below(4) === 0 ? null : bytes(below(8)),
    value: makeValue(draw, material),
    headers:
      below(5) === 0
        ? [
            ['x-attempts', bytes(3)],
            ['__proto__', null],
            ['other', bytes(2)],
            ['x-attempts', 'b'],
          ]
        : [],
  };
}

function processorOf(
  store: FileStore,
  codec: OrderCodec,
  sent: Sent[],
  results: RecordResult[],
): OrdersRunner['batches'] {
  const producer = {
    send: async (topic: string, records: readonly SendRecord[]) => ({
      failure: null,
      outcomes: records.map(({ key, value, headers }, index) => {
        if (topic !== 'orders.dlq') throw new Error(`sent to ${topic}`);
        const of = (name: string): string => String(lastHeader(headers ?? [], name));
        sent.push({ key, value, code: of('x-error-code'), offset: Number(of('x-original-offset')) });
        return { partition: 0, offset: index };
      }),
    }),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const unused = async (): Promise<never> => {
    throw new Error('not used here');
  };
  const broker: Broker = {
    addresses: 'fuzz',
    admin: unused,
    consumer: unused,
    producer: async () => producer,
  };
  return ordersRunner({
    store,
    codec,
    broker,
    positions: new Map(),
    group: 'fuzz',
    dlqTopic: 'orders.dlq',
    untilEnd: false,
    onResults: (given) => results.push(...given),
  }).batches;
}

/** Each record has one result, in order; each bad one is one dead letter with its bytes unchanged. */
function expectOnePlaceEach(
  read: readonly BrokerRecord[],
  results: readonly RecordResult[],
  sent: readonly Sent[],
): void {
  const places = results.map(
    (result) => (result.kind === 'decided' ? result.decided.record : result.record).offset,
  );
  if (places.length !== read.length || places.some((offset, index) => offset !== index)) {
    throw new Error(`${read.length} records have ${places.length} results`);
  }
  const dead = results.filter((result) => result.kind === 'dead_letter');
  if (dead.length !== sent.length) throw new Error(`${dead.length} dead letters, ${sent.length} sent`);
  dead.forEach((result, index) => {
    const letter = sent[index];
    const original = read[result.record.offset];
    const where = formatRecordId(result.record);
    if (!(DEAD_LETTER_CODES as readonly string[]).includes(result.code))
      throw new Error(`${where}: ${result.code}`);
    if (result.message.length > 400) throw new Error(`${where}: a message of ${result.message.length}`);
    if (letter?.offset !== result.record.offset || letter.code !== result.code)
      throw new Error(`${where} is not sent`);
    if (!sameBytes(letter.value, original?.value) || !sameBytes(letter.key, original?.key)) {
      throw new Error(`${where} is changed on its way`);
    }
  });
}

function sameBytes(a: Uint8Array | string | null, b: Uint8Array | null | undefined): boolean {
  if (a === null || b === null || b === undefined) return a === b;
  return Buffer.from(a).equals(b);
}

/** Stock is what was put in less what was sold, users are as they were, and the logs hold what was decided. */
async function expectStock(
  store: FileStore,
  files: FaultyFs,
  results: readonly RecordResult[],
): Promise<void> {
  const left: Record<string, number> = { book: STOCK, pen: STOCK };
  const decided = results.flatMap((result) => (result.kind === 'decided' ? [result.decided] : []));
  const ids = new Set(decided.map(({ order }) => order.orderId));
  if (ids.size !== decided.length) throw new Error('an id was decided twice');
  for (const { order, outcome } of decided) {
    if (outcome.kind === 'rejected') continue;
    for (const { item, quantity } of order.items) left[item] = (left[item] ?? NaN) - quantity;
  }
  const items = Object.fromEntries(Array.from(await store.items(), ({ item, quantity }) => [item, quantity]));
  if (JSON.stringify(items) !== JSON.stringify(left))
    throw new Error(`stock is ${JSON.stringify(items)}, not ${JSON.stringify(left)}`);
  const users = Array.from(await store.users(), ({ user, status }) => `${user} ${status}`).join();
  if (users !== 'alice paid,bob unpaid') throw new Error(`users are ${users}`);
  const lines = ['orders.jsonl', 'rejections.jsonl'].flatMap((name) =>
    (files.get(`${FOLDER}/${name}`)?.toString() ?? '').split('\n').slice(0, -1),
  );
  if (lines.length !== decided.length) throw new Error(`${decided.length} decisions, ${lines.length} lines`);
  for (const line of lines) {
    const { order_id: id } = JSON.parse(line) as { order_id: string };
    if (!ids.has(id)) throw new Error(`${id} is in a log and was not decided`);
  }
  if ('polluted' in {}) throw new Error('the prototype of objects was changed');
  const strange = files
    .names()
    .find((name) => !/^\/fuzz\/storage\/(\.orderctl\/[a-z.0-9]+|[a-z.]+)$/.test(name));
  if (strange !== undefined) throw new Error(`${strange} was made`);
}
