import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { checkPromises, type ConsumeSummary, type Evidence } from '../../../src/cli/demo/checks.ts';

const NOTHING: ConsumeSummary = {
  read: 0,
  accepted: 0,
  rejected: 0,
  duplicates: 0,
  conflicts: 0,
  dead_lettered: 0,
  partitions: [{ lag: 0 }],
};
const line = (id: string, quantity: number, reason?: string) => ({
  order_id: id,
  items: [
    { item: 'pen', quantity },
    { item: 'pen', quantity: 1 },
  ],
  ...(reason === undefined ? {} : { reason }),
});

const KEPT: Evidence = {
  sent: ['a', 'b', 'c'],
  accepted: [line('a', 2), line('c', 3)],
  rejected: [line('b', 9, 'user_not_paid')],
  putIn: { pen: 10 },
  edited: { pen: 5, mug: 2 },
  stock: { pen: 8, mug: 2 },
  inventoryCsv: 'item,quantity\npen,8\nmug,2\n',
  logsBefore: 'the same',
  logsAfter: 'the same',
  restarted: { ...NOTHING, read: 2, accepted: 1, rejected: 1 },
  again: { ...NOTHING, read: 3, duplicates: 3 },
  afterReplay: { ...NOTHING, read: 2, duplicates: 2 },
  replayed: 2,
};
const ONCE = 'every order is processed once';
const STOCK = 'stock = put in − sold';
const AGAIN = 'reading again and replaying changes nothing';
const LOST = 'nothing is lost, nothing is silent';
const FILES = 'the files are yours to edit';

function broken(evidence: Partial<Evidence>): string[] {
  return checkPromises({ ...KEPT, ...evidence })
    .filter(({ ok }) => !ok)
    .map(({ promise }) => promise);
}

it('every promise is kept, with the figures it rests on', () => {
  expect(broken({})).toEqual([]);
  expect(checkPromises(KEPT).find(({ promise }) => promise === STOCK)?.detail).toBe(
    'pen 10 + 5 − 7 = 8, mug 2',
  );
});

describe('a promise that was not kept is found', () => {
  it.each<[string, Partial<Evidence>, string[]]>([
    ['an order twice among the accepted', { accepted: [...KEPT.accepted, line('a', -1)] }, [ONCE, AGAIN]],
    [
      'an order accepted and rejected',
      { rejected: [...KEPT.rejected, line('a', 2, 'unknown_item')] },
      [ONCE],
    ],
    ['no order at all', { sent: [], accepted: [], rejected: [] }, [ONCE, STOCK, AGAIN, LOST]],
    ['a pen too many', { stock: { pen: 9, mug: 2 } }, [STOCK, FILES]],
    ['an item that is gone', { stock: { mug: 2 } }, [STOCK]],
    ['an item from nowhere', { stock: { ...KEPT.stock, cup: 1 } }, [STOCK, FILES]],
    ['stock below zero', { putIn: { pen: 1 }, stock: { pen: -1, mug: 2 } }, [STOCK, FILES]],
    ['a log that grew', { logsAfter: 'the same and more' }, [AGAIN]],
    ['empty logs', { logsBefore: '', logsAfter: '' }, [AGAIN]],
    ['not all read again', { again: { ...NOTHING, read: 2, duplicates: 2 } }, [AGAIN]],
    ['one decided again', { again: { ...NOTHING, read: 3, duplicates: 2, accepted: 1 } }, [AGAIN]],
    ['a replay that sent less', { replayed: 1 }, [AGAIN]],
    ['a replay that was decided', { afterReplay: { ...NOTHING, read: 2, accepted: 2 } }, [AGAIN]],
    ['an order that was sent and not decided', { sent: ['a', 'b', 'c', 'd'] }, [AGAIN, LOST]],
    ['an order that nobody sent', { sent: ['a', 'b', 'x'] }, [LOST]],
    ['a rejection without a reason', { rejected: [line('b', 9)] }, [LOST]],
    ['a record that went nowhere', { restarted: { ...NOTHING, read: 3, accepted: 1, rejected: 1 } }, [LOST]],
    ['a lag', { afterReplay: { ...KEPT.afterReplay, partitions: [{ lag: 1 }] } }, [LOST]],
    ['a hand edit that was overwritten', { inventoryCsv: 'item,quantity\npen,8\n' }, [FILES]],
    ['a file that says otherwise', { inventoryCsv: 'item,quantity\npen,7\nmug,2\n' }, [FILES]],
  ])('%s', (_, evidence, expected) => {
    expect(broken(evidence)).toEqual(expected);
  });
});

it('the README shows the lines that it prints', () => {
  const shown = fs
    .readFileSync(new URL('../../../README.md', import.meta.url), 'utf8')
    .match(/^✓ .*(?=: )/gm);
  expect(shown).toEqual(checkPromises(KEPT).map(({ promise }) => `✓ ${promise}`));
});
