import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { printNotice } from '../../../src/cli/output/store-notices.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import type { Edit } from '../../../src/domain/edit.ts';
import { NAME_RULE } from '../../../src/domain/names.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';

function said(notice: StoreNotice): string {
  const stderr = new PassThrough();
  printNotice(new Printer(new PassThrough(), stderr), notice);
  return String(stderr.read() ?? '');
}

it.each<[StoreNotice, string]>([
  [{ kind: 'file_missing', file: 'users.csv' }, 'warning: users.csv was deleted'],
  [
    { kind: 'file_broken', file: 'users.csv', line: 3, message: 'users.csv:3: no status', fix: 'give one' },
    'warning: users.csv:3: no status (give one); the last valid values stay in effect',
  ],
  [{ kind: 'file_mended', file: 'users.csv' }, 'users.csv: fixed, in use again'],
  [
    { kind: 'stock_clamped', item: 'pen', wanted: -3, left: 0 },
    'warning: item pen: a hand edit results in -3',
  ],
  [{ kind: 'recovered', journalRecords: 1 }, 'recovered 1 commit from the journal'],
])('%j is said', (notice, text) => {
  expect(said(notice).startsWith(text), said(notice)).toBe(true);
});

it.each([
  [1, [{ name: 'pen', change: 'changed' }], '1 row (pen)'],
  [
    2,
    [
      { name: 'cup', change: 'removed' },
      { name: 'ink', change: 'added' },
    ],
    '2 rows (cup removed, ink added)',
  ],
  [
    5,
    [
      { name: 'cup', change: 'removed' },
      { name: 'pen', change: 'changed' },
    ],
    '5 rows (cup removed, pen and 3 more)',
  ],
] as const)(
  'a hand edit of %i rows names some of them, and what was removed as such',
  (rows, changes, text) => {
    const file = 'inventory.csv';
    expect(said({ kind: 'hand_edit_merged', file, rows, changes, madeFrom: null })).toBe(
      `${file}: applied a hand edit of ${text}\n`,
    );
  },
);

it('a name that is not allowed is explained without brackets in brackets', () => {
  const message = 'users.csv:3: "José" is not a name for user';
  const text = said({ kind: 'file_broken', file: 'users.csv', line: 3, message, fix: `use ${NAME_RULE}` });
  expect(text).toContain(`(use ${NAME_RULE});`);
  expect(text.match(/[()]/g)).toEqual(['(', ')']);
});

it.each([
  ['/shop/users.csv', 'orderctl user edit'],
  ['/shop/inventory.csv', 'orderctl inventory edit'],
])('a save of %s that counts as no change names the way to make it', (file, command) => {
  expect(said({ kind: 'file_outdated', file })).toContain(command);
});

it('an edit that the consumer takes in is said as the command would say it, a move where it is made', () => {
  const taken = (edit: Edit): string => said({ kind: 'edit_taken_in', edit });
  const before = { user: 'bob', status: 'unpaid', extra: {} } as const;
  expect(taken({ kind: 'user', user: 'bob', before, after: { ...before, status: 'paid' } })).toBe(
    'edit: user bob updated: status unpaid → paid\n',
  );
  const letters = [{ id: '0:1', key: 'k' }];
  expect(taken({ kind: 'dead_letter', topic: 'orders.dlq', action: 'discarded', why: 'old', letters })).toBe(
    'edit: 1 dead letter of orders.dlq discarded\n',
  );
  expect(
    taken({
      kind: 'position',
      processor: 'orders',
      topic: 'orders',
      partition: 0,
      before: 5,
      after: 0,
      cause: 'reset',
    }),
  ).toBe('');
});
