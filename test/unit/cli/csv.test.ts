import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { parse } from 'csv-parse/sync';
import { expect, it } from 'vitest';
import { openCsv } from '../../../src/cli/output/csv.ts';
import { Printer } from '../../../src/cli/output/printer.ts';

async function csvOf(columns: readonly string[], documents: readonly object[]): Promise<string> {
  const stdout = new PassThrough();
  const printed = text(stdout);
  const write = await openCsv(new Printer(stdout, new PassThrough()), columns);
  await write(documents);
  stdout.end();
  return printed;
}

it.each([
  ['=1+1', "'=1+1"],
  ['+cmd', "'+cmd"],
  ['-cmd', "'-cmd"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\tx', "'\tx"],
  ['＝1', "'＝1"],
  ['-3', '-3'],
  ['+4.5', '+4.5'],
  ['a=1', 'a=1'],
  [-3, '-3'],
  [12, '12'],
  [null, ''],
  [true, 'true'],
  ['\r=1', '"\'\r=1"'],
  ['two\nlines, "quoted"', '"two\nlines, ""quoted"""'],
])('%j is %j in a cell', async (value, cell) => {
  expect(await csvOf(['a', 'b'], [{ a: value, b: 'x' }])).toBe(`a,b\n${cell},x\n`);
});

it('is a header and rows, however many, of all keys that are named', async () => {
  const documents = Array.from({ length: 2_500 }, (_, n) => ({
    n,
    original: { topic: 'orders', offset: n },
    items: [
      { item: 'pen', quantity: 1 },
      { item: 'book', quantity: 2 },
    ],
    extra: { shelf: 'a' },
  }));
  const rows = parse(await csvOf(['n', 'original_offset', 'items', 'shelf', 'none'], documents), {
    columns: true,
  });
  expect(rows).toHaveLength(2_500);
  const last = { n: '2499', original_offset: '2499', items: 'pen×1, book×2', shelf: 'a', none: '' };
  expect(rows.at(-1)).toEqual(last);
});
