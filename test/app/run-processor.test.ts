import { beforeEach, expect, it } from 'vitest';
import type { RunEvent } from '../../src/app/run/events.ts';
import { runProcessor } from '../../src/app/run/run.ts';
import { SUPPLIER_RESTOCK } from '../../src/domain/messages/stock/supplier-restock.ts';
import type { Item } from '../../src/domain/tables.ts';
import type { Codec } from '../../src/ports/codec.ts';
import type { Processor } from '../../src/processors/processor.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

/* The runner knows no orders: a processor of another message has commits, positions and dead letters from it. */

interface Delivery {
  readonly item: string;
  readonly quantity: number;
}
interface Delivered {
  readonly kind: 'delivered';
  readonly onHand: number;
}

const DELIVERIES: Processor<Delivery, Delivered> = {
  name: 'stock',
  sources: [SUPPLIER_RESTOCK],
  emits: [],
  keys: (received) => ({ items: received.map(({ message }) => message.item) }),
  decide(received, state) {
    const rows = new Map<string, Item>();
    const edits = received.map(({ message: { item, quantity } }) => {
      const before = rows.get(item) ?? state.item(item) ?? null;
      const bare = { item, quantity: 0, name: null, price: null, reorderLevel: null, extra: {} };
      const after = { ...(before ?? bare), quantity: (before?.quantity ?? 0) + quantity };
      rows.set(item, after);
      return { kind: 'item', item, before, after } as const;
    });
    const results = edits.map(({ after }): Delivered => ({ kind: 'delivered', onHand: after.quantity }));
    return { changes: { edits }, results };
  },
};

const text = (value: Uint8Array | null): string => new TextDecoder().decode(value ?? new Uint8Array());
const codec: Codec<Delivery> = {
  decode: async (records) =>
    records.map(({ value }) =>
      text(value).startsWith('{')
        ? { kind: 'message', value: JSON.parse(text(value)) as Delivery }
        : { kind: 'dead_letter', code: 'undecodable', stage: 'decode', message: 'not JSON' },
    ),
  encode: async (values) => values.map((value) => new TextEncoder().encode(JSON.stringify(value))),
};

let folder: ModelFolder;
let broker: ScriptedBroker;
beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  broker = new ScriptedBroker();
  broker.createTopic('restocks', 1);
});

async function run(): Promise<RunEvent<Delivery, Delivered>[]> {
  const events: RunEvent<Delivery, Delivered>[] = [];
  const counts = { read: 0, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, deadLettered: 0 };
  await runProcessor({ access: folder, broker, codec, clock: folder.clock }, DELIVERIES, {
    ...{ purpose: 'run stock', topic: 'restocks', dlqTopic: 'restocks.dlq', group: 'stock' },
    ...{ untilEnd: true, maxMessages: null, reset: null, adopt: false, create: true },
    signal: new AbortController().signal,
    counts: () => counts,
    on: (event) => events.push(event),
  });
  return events;
}

it('commits what a processor changes together with the position, once', async () => {
  for (const value of ['{"item":"pen","quantity":5}', 'no JSON', '{"item":"pen","quantity":2}']) {
    broker.append('restocks', 0, { value: new TextEncoder().encode(value) });
  }
  const events = await run();
  const results = events.flatMap((event) => (event.kind === 'batch' ? event.results : []));
  expect(results).toEqual([
    { kind: 'delivered', onHand: 5 },
    expect.objectContaining({ kind: 'dead_letter', code: 'undecodable' }),
    { kind: 'delivered', onHand: 7 },
  ]);
  expect([...folder.tables.items.values()]).toMatchObject([{ item: 'pen', quantity: 7 }]);
  expect(folder.stored.get('stock restocks/0')).toMatchObject({ next: 3 });
  const dead = broker.topics.get('restocks.dlq')?.flat() ?? [];
  expect(dead.map(({ value }) => text(value))).toEqual(['no JSON']);
  expect(events.at(-1)).toMatchObject({ kind: 'ended', run: { stoppedBy: 'end' } });

  // Nothing is read again.
  expect((await run()).filter(({ kind }) => kind === 'batch')).toEqual([]);
  expect([...folder.tables.items.values()]).toMatchObject([{ quantity: 7 }]);
});
