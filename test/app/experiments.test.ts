import { setImmediate } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { runExperiment } from '../../src/app/experiments/experiment.ts';
import { EXPERIMENTS } from '../../src/domain/experiments/kinds.ts';
import { isAsExpected } from '../../src/domain/experiments/receipt.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import type { Stage } from '../../src/app/experiments/stage.ts';

/** A shop that decides at once, with what a test makes it do wrong. */
function stageThat(
  wrong: Partial<Stage> = {},
): Stage & { readonly sent: string[]; readonly edits: string[] } {
  const sent: string[] = [];
  const edits: string[] = [];
  const decided = new Map<string, string>();
  const lastOnes = new Map<string, number>();
  let duplicates = 0;
  let now = 0;
  let made = 0;
  const decide = ({ orderId, items }: Order): void => {
    if (decided.has(orderId)) {
      duplicates += 1;
      return;
    }
    const left = lastOnes.get(items[0]?.item ?? '');
    if (left !== undefined) lastOnes.set(items[0]?.item ?? '', left - 1);
    decided.set(orderId, left === undefined || left > 0 ? 'COMPLETED' : 'REJECTED');
  };
  return {
    sent,
    edits,
    strike: async (part, how) => {
      sent.push(`${how} ${part}`);
      return { pids: [4711], backMs: 640 };
    },
    orders: async (random) =>
      (function* (): Generator<Order> {
        for (;;) {
          const items = [{ item: 'pen', quantity: 1 + Math.floor(random() * 3), unitPrice: null }];
          yield { orderId: '', user: 'alice', createdAt: now, items };
        }
      })(),
    paidUsers: async () => ['alice', 'bob'],
    place: async (order, flow) => {
      sent.push(`${flow} ${order.items.map(({ quantity }) => quantity).join()}`);
      decide(order);
    },
    encode: async (orders) => orders.map((order) => Buffer.from(JSON.stringify(order))),
    send: async (records) => {
      for (const { value, key } of records) {
        if (String(key).startsWith('garbage')) continue;
        decide(JSON.parse(Buffer.from(value ?? []).toString()) as Order);
      }
      return records.map((_, offset) => ({ partition: 0, offset }));
    },
    ended: async (ids) =>
      new Map([...ids].flatMap((id) => (decided.has(id) ? [[id, decided.get(id) ?? '']] : []))),
    duplicates: async () => ({ pid: 1, count: duplicates }),
    watchDeadLetters: async () => async (of) => of.length,
    gateway: { mood: async (mood) => void sent.push(`mood ${mood}`), chargedTwice: async () => 0 },
    edit: async (request) => {
      edits.push(request.kind);
      if (request.kind === 'item.add') lastOnes.set(request.item, request.quantity);
    },
    audit: async () => 0,
    now: () => now,
    sleep: async (ms) => {
      now += ms;
      await setImmediate();
    },
    newId: () => `id-${made++}`,
    ...wrong,
  };
}

const KINDS = EXPERIMENTS.map(({ kind }) => kind);

test.for(KINDS)('%s of a shop that does right is as expected', async (kind) => {
  const receipt = await runExperiment(stageThat(), { id: 'E', kind, seed: 42 });
  expect(receipt).toMatchObject({ kind, seed: 42, problem: null, differences: 0 });
  expect(receipt.did).not.toEqual([]);
  expect(receipt.checks.length).toBeGreaterThan(0);
  expect(isAsExpected(receipt)).toBe(true);
});

test.for(KINDS)('%s never ends well while the books do not balance', async (kind) => {
  const receipt = await runExperiment(stageThat({ audit: async () => 1 }), { id: 'E', kind, seed: 42 });
  expect(isAsExpected(receipt)).toBe(false);
});

test('the same seed sends the same orders and strikes in the same order', async () => {
  const run = async (seed: number): Promise<readonly string[]> => {
    const stage = stageThat();
    await runExperiment(stage, { id: 'E', kind: 'chaos', seed });
    return stage.sent;
  };
  expect(await run(42)).toEqual(await run(42));
  expect(await run(42)).not.toEqual(await run(43));
});

const WRONG: readonly [what: string, kind: (typeof KINDS)[number], wrong: Partial<Stage>][] = [
  ['a dead letter is missing', 'garbage', { watchDeadLetters: async () => async (of) => of.length - 1 }],
  ['a duplicate counts', 'duplicates', { duplicates: async () => ({ pid: 1, count: 0 }) }],
  [
    'two get the last one',
    'last-one',
    { ended: async (ids) => new Map([...ids].map((id) => [id, 'COMPLETED'])) },
  ],
];

test.for(WRONG)('it is not as expected when %s', async ([, kind, wrong]) => {
  // What never comes is waited for: here the time is over at once.
  const receipt = await runExperiment(stageThat(wrong), { id: 'E', kind, seed: 1 }, AbortSignal.timeout(50));
  expect(receipt.problem).toBeNull();
  expect(isAsExpected(receipt)).toBe(false);
});

test('money that moved twice is not as expected', async () => {
  let moved = 0;
  const gateway = { mood: async () => undefined, chargedTwice: async () => moved++ };
  const receipt = await runExperiment(stageThat({ gateway }), { id: 'E', kind: 'gateway-loses', seed: 1 });
  expect(isAsExpected(receipt)).toBe(false);
});

test('an order that is never decided is counted as missing', async () => {
  const ended: Stage['ended'] = async (ids) => new Map([...ids].slice(1).map((id) => [id, 'COMPLETED']));
  const receipt = await runExperiment(
    stageThat({ ended }),
    { id: 'E', kind: 'late', seed: 1 },
    AbortSignal.timeout(50),
  );
  const [decided] = receipt.checks;
  expect(decided).toEqual({ what: 'orders decided', expected: 20, seen: 19 });
});

test('what cannot be carried out leaves a receipt that says why', async () => {
  const receipt = await runExperiment(stageThat({ gateway: null }), {
    id: 'E',
    kind: 'gateway-down',
    seed: 1,
  });
  expect(receipt.problem).toContain('gateway');
  expect(isAsExpected(receipt)).toBe(false);
});

test('the gateway works again and the last one is gone, whatever becomes of the experiment', async () => {
  const stage = stageThat({ place: async () => Promise.reject(new Error('a bug')) });
  await expect(runExperiment(stage, { id: 'E', kind: 'gateway-down', seed: 1 })).rejects.toThrow('a bug');
  expect(stage.sent).toEqual(['mood error', 'mood normal']);
  await expect(runExperiment(stage, { id: 'E', kind: 'last-one', seed: 1 })).rejects.toThrow('a bug');
  expect(stage.edits).toEqual(['item.add', 'item.remove']);
});
