import stringWidth from 'string-width';
import { describe, expect, it } from 'vitest';
import { nearest } from '../../../src/cli/nearest.ts';
import { decisionDocument, decisionRow, viewDecision } from '../../../src/cli/output/consume/decision.ts';
import { changeInWords, editLine } from '../../../src/cli/output/table-rows.ts';
import { editDocument } from '../../../src/documents/write/table.ts';
import { renderTable } from '../../../src/cli/output/table.ts';
import { count, duration, grouped } from '../../../src/cli/output/text.ts';
import type { Item } from '../../../src/domain/tables.ts';

const pen: Item = { item: 'pen', quantity: 50, name: null, price: null, reorderLevel: null, extra: {} };

describe('tables', () => {
  const rows = [
    { name: 'pen', quantity: 5 },
    { name: 'a long notebook', quantity: 12_345 },
    { name: '鉛筆', quantity: 7 },
  ];
  const columns = [
    { title: 'QUANTITY', align: 'right' as const, cell: (row: { quantity: number }) => String(row.quantity) },
    { title: 'NAME', cell: (row: { name: string }) => row.name },
    { title: 'X', cell: () => 'x' },
  ];
  const draw = (width: number | null): string[] =>
    [...renderTable(rows, columns, { width, title: (text) => text, widthOf: stringWidth })]
      .join('')
      .split('\n');

  it('have no borders, numbers to the right, and nothing at the ends of lines', () => {
    expect(draw(null)).toEqual([
      'QUANTITY  NAME             X',
      '       5  pen              x',
      '   12345  a long notebook  x',
      '       7  鉛筆             x',
      '',
    ]);
  });

  it('fit a narrow terminal', () => {
    const lines = draw(24);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(24);
    expect(lines[2]).toBe('   12345  a long not…  x');
  });

  it('never shorten an id: the others give', () => {
    const id = 'ORD-01a210bb-101a-7353-97b7-eb1d84de3b73';
    const withId = [{ title: 'ID', isWhole: true, cell: () => id }, ...columns];
    const lines = [...renderTable(rows, withId, { width: 66, title: (text) => text })].join('').split('\n');
    expect(lines[2]).toBe(`${id}     12345  a long not…  x`);
    expect([...renderTable(rows, withId, { width: 30, title: (text) => text })].join('')).toContain(id);
  });

  it('shorten a coloured or wide cell to the width of the column, and end its colour', () => {
    const cut = (cell: string): string => {
      const options = { width: 6, title: (text: string) => text, widthOf: stringWidth };
      return (
        [...renderTable([{}], [{ title: 'NAME', cell: () => cell }], options)].join('').split('\n')[1] ?? ''
      );
    };
    expect(cut('\u001B[31mnotebook\u001B[39m')).toBe('\u001B[31mnoteb…\u001B[39m');
    expect(cut('鉛筆鉛筆')).toBe('鉛筆…');
    expect(cut('a鉛筆b鉛')).toBe('a鉛筆…');
    expect(cut('e\u0301te\u0301 au lac')).toBe('e\u0301te\u0301 a…');
    expect(cut('👩‍👩‍👧 family')).toBe('👩‍👩‍👧 fa…');
  });

  it('come in pieces that fit together', () => {
    const many = Array.from({ length: 2_500 }, (_, i) => ({ name: `n${i}`, quantity: i }));
    const pieces = [...renderTable(many, columns, { width: null, title: (text) => text })];
    expect(pieces).toHaveLength(4);
    const lines = pieces.join('').trimEnd().split('\n');
    expect(lines).toHaveLength(2_501);
    expect(new Set(lines.map((line) => line.length)).size).toBe(1);
  });
});

describe('edits', () => {
  it('are printed with what changed', () => {
    const after = { ...pen, quantity: 100 };
    expect(editDocument({ kind: 'item', item: 'pen', before: pen, after })).toEqual({
      item: 'pen',
      before: { quantity: 50 },
      after: { quantity: 100 },
    });
    expect(editLine({ kind: 'item', item: 'pen', before: pen, after })).toBe(
      'item pen updated: quantity 50 → 100',
    );
    expect(editLine({ kind: 'item', item: 'pen', before: pen, after: pen })).toBe(
      'item pen unchanged (quantity 50)',
    );
    const priced = { ...pen, price: '1.20' };
    expect(editDocument({ kind: 'item', item: 'pen', before: pen, after: priced })).toEqual({
      item: 'pen',
      before: { quantity: 50, price: null },
      after: { quantity: 50, price: '1.20' },
    });
    expect(editLine({ kind: 'item', item: 'pen', before: pen, after: priced })).toBe(
      'item pen updated: price none → 1.20',
    );
    expect(editDocument({ kind: 'item', item: 'pen', before: pen, after: null })).toEqual({
      item: 'pen',
      before: { quantity: 50 },
      after: null,
    });
    const bob = { user: 'bob', status: 'paid', extra: {} } as const;
    expect(editDocument({ kind: 'user', user: 'bob', before: null, after: bob })).toEqual({
      user: 'bob',
      before: null,
      after: { status: 'paid' },
    });
    expect(editLine({ kind: 'user', user: 'bob', before: null, after: bob })).toBe('user bob added (paid)');
  });

  it('leave names as they are, whatever they contain', () => {
    const named = (name: string | null): Item => ({ ...pen, name });
    const between = (before: Item | null, after: Item | null) => {
      const edit = { kind: 'item', item: 'pen', before, after } as const;
      return [editLine(edit), editLine(edit, true), changeInWords(edit)];
    };
    for (const name of ['Pen (blue)', '(blue)', 'was: red (old)', 'Pens, ten', 'a → b', 'updated: x', '$1']) {
      const whole = `quantity 50, name ${name}`;
      expect(between(named('Pen'), named(name))).toEqual([
        `item pen updated: name Pen → ${name}`,
        `item pen would be updated: name Pen → ${name}`,
        `name Pen → ${name}`,
      ]);
      expect(between(null, named(name))).toEqual([
        `item pen added (${whole})`,
        `item pen would be added (${whole})`,
        `added: ${whole}`,
      ]);
      expect(between(named(name), null)).toEqual([
        `item pen removed (was: ${whole})`,
        `item pen would be removed (was: ${whole})`,
        `removed: ${whole}`,
      ]);
      expect(between(named(name), named(name))).toEqual([
        `item pen unchanged (${whole})`,
        `item pen unchanged (${whole})`,
        `unchanged: ${whole}`,
      ]);
    }
  });
});

describe('decisions as data', () => {
  const record = { topic: 'orders', partition: 0, offset: 4 };
  const order = {
    orderId: 'ORD-8',
    user: 'bob',
    items: [{ item: 'pen', quantity: 1, unitPrice: '1.20' }],
    createdAt: 0,
  };

  it('have the keys of the contract, in its order', () => {
    const outcome = {
      kind: 'rejected',
      reason: 'user_not_paid',
      detail: 'user bob is unpaid',
      userStatus: 'unpaid',
      stock: [50],
    } as const;
    const view = viewDecision({ kind: 'decided', decided: { order, record, outcome, decidedAt: 0 } });
    expect(JSON.stringify(decisionDocument(view))).toBe(
      '{"type":"decision","decision":"rejected","order_id":"ORD-8","user":"bob","items":[{"item":"pen","quantity":1}],"reason":"user_not_paid","detail":"user bob is unpaid","topic":"orders","partition":0,"offset":4}',
    );
    expect(decisionRow(view)).toBe('rejected ORD-8 bob pen×1: user bob is unpaid (orders/0@4)');
  });

  it('say null for the user of an order that has none', () => {
    const outcome = { kind: 'accepted', stock: [50] } as const;
    const decided = { order: { ...order, user: '' }, record, outcome, decidedAt: 0 };
    const document = decisionDocument(viewDecision({ kind: 'decided', decided }));
    expect(document).toMatchObject({ decision: 'accepted', user: null });
  });

  it('say null for what a dead letter does not have', () => {
    const view = viewDecision({ kind: 'dead_letter', record, code: 'undecodable', message: 'too short' });
    expect(decisionDocument(view)).toEqual({
      type: 'decision',
      decision: 'dead_letter',
      order_id: null,
      user: null,
      items: null,
      reason: 'undecodable',
      detail: 'too short',
      topic: 'orders',
      partition: 0,
      offset: 4,
    });
  });
});

it('finds what was meant', () => {
  expect(nearest('topci', ['group', 'topic'])).toBe('topic');
  expect(nearest('usr', ['user', 'produce'])).toBe('user');
  expect(nearest('xyzzy', ['user', 'produce'])).toBeUndefined();
  expect(nearest('reason', ['version', 'since'])).toBeUndefined();
  expect(nearest('sasl_certificate', ['sasl_mechanism'])).toBeUndefined();
});

it('puts numbers into words', () => {
  expect(grouped(999)).toBe('999');
  expect(grouped(1_234_567)).toBe('1,234,567');
  expect(count(1, 'row')).toBe('1 row');
  expect(count(0, 'row')).toBe('0 rows');
  expect([412, 75_400, 720_000].map(duration)).toEqual(['0.4 s', '75 s', '12 min']);
});
