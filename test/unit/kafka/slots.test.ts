import { expect, it } from 'vitest';

import type { Leaders } from '../../../src/adapters/kafka/consume/leaders.ts';
import type { Leader } from '../../../src/adapters/kafka/protocol/requests/metadata.ts';
import { Slots } from '../../../src/adapters/kafka/consume/slots.ts';

const of = { topic: 'orders', partition: 0 };

function opened() {
  const leader: Leader = { nodeId: 1, epoch: 5 };
  const slots = new Slots({
    leaders: { of: () => leader, lastOf: () => 1 } as unknown as Leaders,
    signal: new AbortController().signal,
    onDropped: () => undefined,
    onDoubt: () => undefined,
    onRested: () => undefined,
  });
  return { slots, leader };
}

it('a comparison that was begun before the last doubt settles nothing, under the same leader neither', () => {
  const { slots, leader } = opened();
  const slot = slots.add(of);
  const [before] = slots.takeDoubtful();
  slots.doubt(slot);
  const [after] = slots.takeDoubtful();
  if (before === undefined || after === undefined) throw new Error('nothing is in doubt');
  expect(slots.settle(before)).toBe(false);
  slots.putBack(before);
  expect([slot.checked, slot.isResting, slots.isSure]).toEqual([undefined, false, false]);
  expect(slots.settle(after)).toBe(true);
  expect([slot.checked, slots.isSure]).toEqual([leader, true]);
});

it('a comparison of a partition that went and came again settles nothing', () => {
  const { slots } = opened();
  slots.add(of);
  const [before] = slots.takeDoubtful();
  slots.remove(of);
  expect(slots.owed()).toEqual([]);
  const slot = slots.add(of);
  slots.takeDoubtful();
  if (before === undefined) throw new Error('nothing is in doubt');
  expect(slots.settle(before)).toBe(false);
  expect(slot.checked).toBeUndefined();
});

it('a partition whose batch is in hand has no position to compare before that is done', () => {
  const { slots } = opened();
  const slot = slots.add(of);
  slots.inHand = slot;
  expect(slots.takeDoubtful()).toEqual([]);
  slots.inHand = undefined;
  expect(slots.takeDoubtful()).toMatchObject([{ slot }]);
});
