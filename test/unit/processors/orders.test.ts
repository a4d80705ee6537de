import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import { decide, decideAll } from '../../../src/processors/orders/decide.ts';
import { sameContent, type Order } from '../../../src/domain/orders/order.ts';
import { REASONS } from '../../../src/domain/orders/reasons.ts';
import type { UserStatus } from '../../../src/domain/tables.ts';

const users: Record<string, UserStatus> = { alice: 'paid', bob: 'unpaid' };
const stock: Record<string, number> = { book: 10, pen: 2, ghost: 0 };
const state = {
  status: (user: string) => (Object.hasOwn(users, user) ? users[user] : undefined),
  quantity: (item: string) => (Object.hasOwn(stock, item) ? stock[item] : undefined),
};

function order(user: string, ...lines: [string, number][]): Order {
  const items = lines.map(([item, quantity]) => ({ item, quantity, unitPrice: null }));
  return { orderId: 'ORD-1', user, items, createdAt: 0 };
}

describe('decide', () => {
  it('accepts and tells what was on hand, one number a line', () => {
    const outcome = decide(order('alice', ['book', 3], ['pen', 1], ['book', 2]), state);
    expect(outcome).toEqual({ kind: 'accepted', stock: [10, 2, 10] });
  });

  it.each([
    ['unknown_user', order('zoe', ['nothing', -1])],
    ['user_not_paid', order('bob', ['nothing', -1])],
    ['invalid_quantity', order('alice', ['nothing', 1], ['book', 0])],
    ['invalid_quantity', order('alice', ['book', 1.5])],
    ['invalid_quantity', order('alice', ['book', 2 ** 31])],
    ['invalid_quantity', order('alice')],
    ['unknown_item', order('alice', ['pen', 99], ['nothing', 1])],
    ['insufficient_stock', order('alice', ['pen', 2], ['pen', 1])],
    ['insufficient_stock', order('alice', ['ghost', 1])],
    ['unknown_user', order('__proto__', ['book', 1])],
    ['unknown_item', order('alice', ['constructor', 1])],
  ])('rejects with the first reason that holds: %s', (reason, given) => {
    const outcome = decide(given, state);
    expect(outcome).toMatchObject({ kind: 'rejected', reason });
  });

  it('names the user or item, and keeps the status and stock it was decided on', () => {
    expect(decide(order('bob', ['pen', 1], ['none', 1]), state)).toEqual({
      kind: 'rejected',
      reason: 'user_not_paid',
      detail: 'user bob is unpaid',
      userStatus: 'unpaid',
      stock: [2, null],
    });
    expect(decide(order('alice', ['pen', 2], ['pen', 1]), state)).toMatchObject({
      detail: 'item pen has 2 on hand, 3 wanted',
    });
  });

  it('takes the last unit', () => {
    expect(decide(order('alice', ['pen', 1], ['pen', 1]), state).kind).toBe('accepted');
  });
});

/** The rules once more, written without the code under test: one pass in plain words over plain objects. */
function reference(
  orders: readonly Order[],
  paid: Record<string, boolean>,
  onHand: Record<string, number>,
): { verdicts: string[]; left: Record<string, number> } {
  const left = { ...onHand };
  const seen = new Map<string, string>();
  const verdicts = orders.map((given) => {
    const content = JSON.stringify([
      given.user,
      [...new Set(given.items.map(({ item }) => item))]
        .sort()
        .map((item) => [
          item,
          given.items.filter((l) => l.item === item).reduce((sum, l) => sum + l.quantity, 0),
        ]),
    ]);
    const earlier = seen.get(given.orderId);
    if (earlier !== undefined) return earlier === content ? 'duplicate' : 'conflict';
    seen.set(given.orderId, content);
    const holds: Record<string, boolean> = {
      unknown_user: !(given.user in paid),
      user_not_paid: paid[given.user] === false,
      invalid_quantity:
        given.items.length === 0 ||
        given.items.some(({ quantity: q }) => q < 1 || q > 2147483647 || Math.floor(q) !== q),
      unknown_item: given.items.some(({ item }) => !(item in left)),
      insufficient_stock: given.items.some(
        ({ item }) =>
          given.items.filter((l) => l.item === item).reduce((sum, l) => sum + l.quantity, 0) >
          (left[item] ?? 0),
      ),
    };
    const reason = REASONS.find((candidate) => holds[candidate]);
    if (reason !== undefined) return reason;
    for (const { item, quantity } of given.items) left[item] = (left[item] ?? 0) - quantity;
    return 'accepted';
  });
  return { verdicts, left };
}

describe('decideAll', () => {
  const anyOrder = fc.record({
    orderId: fc.constantFrom('A', 'B', 'C', 'D', 'E', 'F', 'G', 'H'),
    user: fc.constantFrom('alice', 'bob', 'carol', 'zoe'),
    items: fc.array(
      fc.record({
        item: fc.constantFrom('book', 'pen', 'none'),
        quantity: fc.oneof(
          { weight: 8, arbitrary: fc.integer({ min: 1, max: 4 }) },
          fc.constantFrom(0, -1, 1.5, 2 ** 31, 2 ** 31 - 1),
        ),
        unitPrice: fc.constantFrom(null, '1.00'),
      }),
      { maxLength: 4 },
    ),
    createdAt: fc.nat(),
  });

  it('agrees with the reference model, however the orders are cut into batches', () => {
    fc.assert(
      fc.property(
        fc.array(anyOrder, { maxLength: 30 }),
        fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 10 }),
        fc.nat(12),
        fc.nat(12),
        (orders, cuts, book, pen) => {
          const paid: Record<string, boolean> = { alice: true, bob: false, carol: true };
          const quantities = new Map([
            ['book', book],
            ['pen', pen],
          ]);
          const decided = new Map<string, Decided>();
          const verdicts: string[] = [];
          for (let from = 0, cut = 0; from < orders.length; cut++) {
            const size = cuts[cut % cuts.length] ?? 1;
            const batch = orders.slice(from, from + size);
            from += size;
            const frozen = new Map(quantities);
            const decisions = decideAll(
              batch.map((given, i) => ({ message: given, record: { topic: 't', partition: 0, offset: i } })),
              {
                status: (user) => (paid[user] === undefined ? undefined : paid[user] ? 'paid' : 'unpaid'),
                quantity: (item) => quantities.get(item),
                decided: (id) => decided.get(id),
              },
              1,
            );
            expect(quantities).toEqual(frozen);
            for (const decision of decisions) {
              if (decision.kind === 'duplicate') {
                verdicts.push(decision.sameContent ? 'duplicate' : 'conflict');
                continue;
              }
              const { order: given, outcome } = decision.decided;
              decided.set(given.orderId, decision.decided);
              verdicts.push(outcome.kind === 'accepted' ? 'accepted' : outcome.reason);
              if (outcome.kind === 'accepted') {
                for (const { item, quantity } of given.items) {
                  quantities.set(item, (quantities.get(item) ?? 0) - quantity);
                }
              }
            }
          }
          const expected = reference(orders, paid, { book, pen });
          expect(verdicts).toEqual(expected.verdicts);
          expect(Object.fromEntries(quantities)).toEqual(expected.left);
        },
      ),
    );
  });

  it('lets the second order of a batch see the unit that the first one took', () => {
    const last = { status: () => 'paid' as const, quantity: () => 1, decided: () => undefined };
    const orders = ['A', 'B'].map((orderId, offset) => ({
      message: {
        orderId,
        user: 'alice',
        items: [{ item: 'book', quantity: 1, unitPrice: null }],
        createdAt: 0,
      },
      record: { topic: 't', partition: 0, offset },
    }));
    const outcomes = decideAll(orders, last, 1).map(
      (decision) => decision.kind === 'decided' && decision.decided.outcome,
    );
    expect(outcomes).toMatchObject([
      { kind: 'accepted', stock: [1] },
      { kind: 'rejected', reason: 'insufficient_stock', stock: [0] },
    ]);
  });

  it('keeps the trace that led to a decision where it is sampled', () => {
    const known = { ...state, decided: () => undefined };
    const traces = ['01', '00', '03'].map((flags) => `00-${'1'.repeat(32)}-${'2'.repeat(16)}-${flags}`);
    const kept = decideAll(
      [...traces, null].map((traceparent, offset) => ({
        message: { ...order('alice', ['book', 1]), orderId: `ORD-${offset}` },
        record: { topic: 't', partition: 0, offset },
        traceparent,
      })),
      known,
      77,
    ).map((decision) => decision.kind === 'decided' && decision.decided.traceparent);
    expect(kept).toEqual([traces[0], undefined, traces[2], undefined]);
  });

  it('takes an order that nothing dates to be made when it is decided, and the date of any other as it is', () => {
    const known = { ...state, decided: () => undefined };
    const record = { topic: 't', partition: 0, offset: 0 };
    const undated = { ...order('alice', ['book', 1]), createdAt: NaN };
    const dated = { ...order('alice', ['book', 1]), orderId: 'ORD-2', createdAt: -1 };
    const made = decideAll(
      [undated, dated].map((each) => ({ message: each, record })),
      known,
      77,
    ).map((decision) => decision.kind === 'decided' && decision.decided.order.createdAt);
    expect(made).toEqual([77, -1]);
  });
});

it('a quantity that is no finite number is rejected, and is the same content when it comes back from a file', () => {
  for (const quantity of [NaN, Infinity, -Infinity]) {
    const odd = order('alice', ['book', quantity], ['pen', 1]);
    expect(decide(odd, state)).toMatchObject({ kind: 'rejected', reason: 'invalid_quantity' });
    expect(sameContent(odd, order('alice', ['book', NaN], ['pen', 1]))).toBe(true);
    expect(sameContent(odd, order('alice', ['book', 1], ['pen', 1]))).toBe(false);
    expect(sameContent(order('alice', ['book', 1], ['pen', 1]), odd)).toBe(false);
    expect(sameContent(odd, order('alice', ['ghost', NaN], ['pen', 1]))).toBe(false);
  }
});
