import { expect, it } from 'vitest';
import { createMeter } from '../../src/adapters/prometheus/meter.ts';
import { consumeOrders } from '../../src/app/run/consume.ts';
import { RunMetrics } from '../../src/app/run/status/metrics.ts';
import type { Destination } from '../../src/ports/store.ts';
import type { ConsumerStatus } from '../../src/ports/owner.ts';
import { PLAIN_SHOP } from '../../src/processors/options.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

/** The lines of one metric. */
function linesOf(text: string, name: string): string[] {
  return text.split('\n').filter((line) => line.startsWith(name));
}

it('a run counts records by what became of them, and measures latency and lag once for each batch', async () => {
  const clock = new FakeClock();
  const folder = new ModelFolder(clock);
  const broker = new ScriptedBroker();
  broker.createTopic('orders', 1);
  await folder.edit({ kind: 'user.add', user: 'alice', status: 'paid' });
  await folder.edit({ kind: 'item.add', item: 'book', quantity: 4 });
  const items = [{ item: 'book', quantity: 2, unitPrice: null }];
  for (const orderId of ['A-1', 'A-2', 'A-3', 'A-1'])
    broker.append('orders', 0, {
      value: encodeOrder({ orderId, user: 'alice', items, createdAt: 1 }),
      timestamp: clock.now() - 2_000,
    });
  broker.append('orders', 0, { value: new TextEncoder().encode('?'), timestamp: clock.now() - 2_000 });
  broker.batchRecords = 2;
  const meter = createMeter();
  const codec = new PlainCodec();
  await consumeOrders(
    { access: folder, broker, codecOf: async () => codec, clock, meter },
    {
      names: new Map(),
      shop: PLAIN_SHOP,
      group: 'g',
      untilEnd: true,
      maxMessages: null,
      reset: null,
      adopt: false,
      create: true,
      signal: new AbortController().signal,
      on: () => undefined,
    },
  );
  const text = await meter.text();
  const of = (outcome: string): string => `orderctl_records_total{processor="orders",outcome="${outcome}"}`;
  expect(linesOf(text, 'orderctl_records_total').sort()).toEqual(
    [
      `${of('accepted')} 2`,
      `${of('conflicts')} 0`,
      `${of('dead_letter')} 1`,
      `${of('duplicates')} 1`,
      `${of('rejected')} 1`,
    ].sort(),
  );
  expect(text).toContain('orderctl_lag_records{processor="orders",topic="orders",partition="0"} 0\n');
  expect(text).toContain('orderctl_commit_duration_seconds_count{processor="orders"} 3\n');
  expect(text).toContain('orderctl_record_latency_seconds_count{processor="orders"} 3\n');
  const [sum = ''] = linesOf(text, 'orderctl_record_latency_seconds_sum');
  expect(Number(sum.split(' ')[1])).toBeGreaterThanOrEqual(3 * 2);
  expect(text).not.toContain('A-1');
});

it('what waits, and a destination for which nothing waits any more, are known at each reading', async () => {
  const meter = createMeter();
  let waitingFor: ConsumerStatus['waitingFor'] = null;
  let unsent = new Map<Destination, number>([['alerts', 3]]);
  const partitions = [{ topic: 't', partition: 0, next: 1, lag: 5 }];
  const processor = { name: 'orders' as const, outcomes: {}, deadLettered: 0, partitions };
  const status = () => ({ waitingFor, processors: [processor] }) as unknown as ConsumerStatus;
  const metrics = new RunMetrics(meter, { status, unsent: () => unsent, destinations: ['inventory-events'] });
  let text = await meter.text();
  expect(text).toContain('orderctl_outbox_messages{destination="alerts"} 3\n');
  expect(text).toContain('orderctl_outbox_messages{destination="inventory-events"} 0\n');
  expect(text).toContain('orderctl_waiting{service="broker"} 0\n');
  expect(linesOf(text, 'orderctl_lag_records')).toHaveLength(1);
  expect(text).toContain('orderctl_undelivered_total 0\n');
  unsent = new Map();
  waitingFor = 'broker';
  metrics.take({ kind: 'effect_settled', processor: 'payment', id: 'E-1', outcome: 'failed' });
  metrics.take({ kind: 'undelivered', id: 'orders/0@1', topic: 'orders.dlq' });
  metrics.synced(0.002);
  text = await meter.text();
  expect(text).toContain('orderctl_outbox_messages{destination="alerts"} 0\n');
  expect(text).toContain('orderctl_waiting{service="broker"} 1\n');
  // The last answer is old: it says nothing of what was sent since.
  expect(linesOf(text, 'orderctl_lag_records')).toEqual([]);
  expect(text).toContain('orderctl_effect_tries_total{processor="payment",outcome="failed"} 1\n');
  expect(text).toContain('orderctl_undelivered_total 1\n');
  expect(text).toContain('orderctl_sync_duration_seconds_count 1\n');
});
