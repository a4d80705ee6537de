import { readdirSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { expect, it } from 'vitest';
import { INVENTORY, NO_EXTRA } from '../../src/adapters/files/tables/columns.ts';
import { DETAIL_FLAGS, detailsOf, withDetails } from '../../src/cli/commands/inventory/details.ts';
import { decideEdit } from '../../src/domain/edit.ts';
import { ITEM_DETAILS, NAMED_DETAILS, NO_DETAILS, type DetailKind } from '../../src/domain/tables.ts';

/* What the compiler does not say of a new entry of ITEM_DETAILS. */

const SAMPLES: Readonly<Record<DetailKind, string | number>> = { text: 'Pen', price: '1.20', quantity: 5 };

it('rows of inventory.csv have each detail in its own column', () => {
  const values = ITEM_DETAILS.map(({ kind }) => SAMPLES[kind]);
  const row = INVENTORY.row('pen', 1, values, NO_EXTRA);
  const samples = Object.fromEntries(ITEM_DETAILS.map(({ field, kind }) => [field, SAMPLES[kind]]));
  expect(row).toEqual({ item: 'pen', quantity: 1, ...samples, extra: {} });
  expect(INVENTORY.row('pen', 1, [], NO_EXTRA)).toEqual({
    item: 'pen',
    quantity: 1,
    ...NO_DETAILS,
    extra: {},
  });
});

it('every detail has a flag, and what it is set to arrives', () => {
  const command = withDetails(new Command());
  const words = NAMED_DETAILS.flatMap(({ kind }, at) => [DETAIL_FLAGS[at] ?? '', String(SAMPLES[kind])]);
  command.parse(words, { from: 'user' });
  const set = decideEdit(
    { kind: 'item.add', item: 'pen', quantity: 1, ...detailsOf(command.opts()) },
    { user: () => undefined, item: () => undefined },
  );
  const row = set.kind === 'item' ? set.after : null;
  for (const { label, kind, of } of NAMED_DETAILS) {
    expect(row === null ? null : of(row), label).toBe(SAMPLES[kind]);
  }
});

it('the database has a column for each detail, and its log of edits by SQL has the field', () => {
  const folder = new URL('../../src/adapters/postgres/migrations/', import.meta.url);
  const migrations = readdirSync(folder).sort();
  const text = migrations.map((name) => readFileSync(new URL(name, folder), 'utf8')).join('\n');
  const rows = [...text.matchAll(/FUNCTION orderctl\.item_row\([\s\S]*?END;/g)].map(([found]) => found);
  const products = [...text.matchAll(/TABLE orderctl\.products\b[\s\S]*?;/g)]
    .map(([found]) => found)
    .join('\n');
  for (const { field, column } of ITEM_DETAILS) {
    expect(products, column).toMatch(
      new RegExp(String.raw`^\s+(ADD COLUMN )?${column} (text|numeric|bigint)`, 'm'),
    );
    expect(rows.at(-1), field).toMatch(new RegExp(String.raw`'${field}', \(p\)\.${column}\b`));
  }
});
