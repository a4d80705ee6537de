import { describe, expect, it } from 'vitest';
import type { RecordResult } from '../../../src/app/run/events.ts';
import { DecisionThrottle } from '../../../src/cli/output/consume/decision-throttle.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';
import type { Order } from '../../../src/domain/orders/order.ts';

let made = 0;

function decided(kind: 'accepted' | 'rejected'): Decided {
  made += 1;
  const order: Order = {
    orderId: `ORD-${made}`,
    user: 'bob',
    items: [{ item: 'pen', quantity: 2, unitPrice: null }],
    createdAt: 0,
  };
  const record = { topic: 'orders', partition: 0, offset: made };
  const outcome =
    kind === 'accepted'
      ? ({ kind, stock: [9] } as const)
      : ({
          kind,
          reason: 'user_not_paid',
          detail: 'user bob is unpaid',
          userStatus: 'unpaid',
          stock: [9],
        } as const);
  return { order, record, outcome, decidedAt: 0 };
}

const accepted = (): RecordResult => ({ kind: 'decided', decided: decided('accepted') });
const rejected = (): RecordResult => ({ kind: 'decided', decided: decided('rejected') });
const duplicate = (sameContent: boolean): RecordResult => {
  const first = decided('accepted');
  return { kind: 'duplicate', order: first.order, record: first.record, first, sameContent };
};
const many = (n: number, make: () => RecordResult): RecordResult[] => Array.from({ length: n }, make);

describe('what is printed of decisions', () => {
  it('is the line of the contract', () => {
    made = 6;
    const throttle = new DecisionThrottle();
    expect(throttle.add([accepted(), rejected()], 0)).toEqual([
      { level: 'info', text: 'accepted ORD-7 bob pen×2 (orders/0@7)' },
      { level: 'warn', text: 'order ORD-8 rejected: user bob is unpaid (orders/0@8)' },
    ]);
  });

  it('is each of up to twenty a second', () => {
    const throttle = new DecisionThrottle();
    for (let second = 0; second < 5; second += 1) {
      expect(throttle.add(many(20, accepted), second * 1000)).toHaveLength(20);
    }
    expect(throttle.flush()).toEqual([]);
  });

  it('is twenty and a line of counts in the first second of a flood, then one line a second', () => {
    const throttle = new DecisionThrottle();
    expect(throttle.add(many(1_500, accepted), 0)).toHaveLength(20);
    expect(throttle.add([...many(3, rejected), duplicate(true), duplicate(false)], 500)).toEqual([]);
    expect(throttle.tick(999)).toEqual([]);
    expect(throttle.tick(1000)).toEqual([
      {
        level: 'warn',
        text: 'and more: 1,480 accepted, 3 rejected (user_not_paid 3), 1 duplicate, 1 conflict in the last second',
      },
    ]);
    expect(throttle.add(many(2_000, accepted), 1100)).toEqual([]);
    expect(throttle.add(many(1_000, accepted), 2100)).toEqual([
      { level: 'info', text: '2,000 accepted in the last second' },
    ]);
    expect(throttle.flush()).toEqual([{ level: 'info', text: '1,000 accepted in the last second' }]);
  });

  it('goes back to single lines when the flood is over', () => {
    const throttle = new DecisionThrottle();
    throttle.add(many(100, accepted), 0);
    expect(throttle.tick(1000)).toHaveLength(1);
    expect(throttle.add(many(20, rejected), 1200)).toEqual([]);
    const late = throttle.tick(2000);
    expect(late).toHaveLength(20);
    expect(late[0]?.text).toMatch(/^order ORD-\d+ rejected/);
    expect(throttle.add(many(2, accepted), 2100)).toHaveLength(2);
  });

  it('loses no decision: lines and counts add up', () => {
    const throttle = new DecisionThrottle();
    const lines = [0, 400, 900, 1300, 2600, 2700, 5000].flatMap((at, i) =>
      throttle.add(many(i * 7, accepted), at),
    );
    lines.push(...throttle.flush());
    const counted = lines.map(({ text }) =>
      Number(/([\d,]+) accepted/.exec(text)?.[1]?.replace(',', '') ?? 1),
    );
    expect(counted.reduce((sum, n) => sum + n, 0)).toBe((0 + 1 + 2 + 3 + 4 + 5 + 6) * 7);
  });

  it('spends no line on what is not shown', () => {
    const throttle = new DecisionThrottle((level) => level === 'warn');
    expect(throttle.add([...many(1_000, accepted), ...many(20, rejected)], 0)).toHaveLength(20);
    expect(throttle.flush()).toEqual([]);
  });
});
