import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTable } from '../../../src/adapters/files/csv/parse.ts';
import { INVENTORY, USERS } from '../../../src/adapters/files/tables/columns.ts';
import { renderTable } from '../../../src/adapters/files/csv/render.ts';
import type { CsvTable } from '../../../src/adapters/files/tables/columns.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { normalizePrice, type Item } from '../../../src/domain/tables.ts';
import { fixText } from '../../support/ways-out.ts';

function failureOf(act: () => unknown): Failure {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(Failure);
    return error as Failure;
  }
  throw new Error('nothing failed');
}

const rendered = (table: CsvTable<Item>): string => Buffer.concat([...renderTable(table)]).toString();

describe('a CSV', () => {
  it('is read with BOM, any line ending, blank rows, spaces around our values, and other columns', () => {
    const text =
      '\ufeffuser, status ,note\r\n alice , paid," two\r\nlines, ""x"""\n\r\n,,\r\nbob,unpaid,\r\n';
    const table = parseTable(USERS, Buffer.from(text), 'users.csv');
    expect(table.columns).toEqual(['user', 'status', 'note']);
    expect([...table.rows.values()]).toEqual([
      { user: 'alice', status: 'paid', extra: { note: ' two\r\nlines, "x"' } },
      { user: 'bob', status: 'unpaid', extra: { note: '' } },
    ]);
    expect(Buffer.concat([...renderTable(table)]).toString()).toBe(
      'user,status,note\nalice,paid," two\r\nlines, ""x"""\nbob,unpaid,\n',
    );
  });

  it('has prices and levels in one form, and none as null', () => {
    const text = 'price,quantity,item,reorder_level\n12.5,007,book,3\n,0,pen,\n';
    expect([...parseTable(INVENTORY, Buffer.from(text), 'inventory.csv').rows.values()]).toEqual([
      { item: 'book', quantity: 7, name: null, price: '12.50', reorderLevel: 3, extra: {} },
      { item: 'pen', quantity: 0, name: null, price: null, reorderLevel: null, extra: {} },
    ]);
  });

  it('gets a column when a row has a value for it, and only then', () => {
    const item: Item = { item: 'a', quantity: 1, name: null, price: null, reorderLevel: null, extra: {} };
    const columns = ['item', 'quantity'];
    expect(rendered({ kind: INVENTORY, columns, rows: new Map([['a', item]]) })).toBe('item,quantity\na,1\n');
    const priced = { ...item, price: '1.00', extra: { shelf: 'x' } };
    expect(rendered({ kind: INVENTORY, columns, rows: new Map([['a', priced]]) })).toBe(
      'item,quantity,shelf,price\na,1,x,1.00\n',
    );
  });

  it('keeps columns with the names of object members harmless', () => {
    const text = 'item,quantity,__proto__,constructor\nbook,1,x,y\n';
    const table = parseTable(INVENTORY, Buffer.from(text), 'inventory.csv');
    expect(rendered(table)).toBe(text);
    expect(({} as Record<string, unknown>).x).toBeUndefined();
    const added: Item = { item: 'pen', quantity: 1, name: null, price: null, reorderLevel: null, extra: {} };
    const rows = new Map([...table.rows, ['pen', added]]);
    expect(rendered({ kind: INVENTORY, columns: table.columns, rows })).toBe(`${text}pen,1,,\n`);
  });

  it('is read the same without quotes, which needs no library, and with them', () => {
    const cell = fc.stringMatching(/^[ a-zé€😀.:0-9]{0,6}$/u);
    const row = fc.array(cell, { minLength: 1, maxLength: 4 });
    const lineEnd = fc.constantFrom('\n', '\r\n', '\r');
    const text = fc.tuple(
      fc.constantFrom('', '\ufeff'),
      fc.array(fc.tuple(row, lineEnd), { minLength: 1, maxLength: 6 }),
      fc.boolean(),
    );
    fc.assert(
      fc.property(text, ([mark, rows, isEnded]) => {
        const end = (index: number, lineEnding: string): string =>
          isEnded || index < rows.length - 1 ? lineEnding : '';
        // CR, an empty line and LF: one line end without quotes, two with them.
        const isAmbiguous = rows.some(([, ending], at) => {
          const [cells, nextEnding] = rows[at + 1] ?? [];
          return ending === '\r' && cells?.join(',') === '' && nextEnding === '\n';
        });
        fc.pre(!isAmbiguous);
        const header = `${mark}user,status,note\n`;
        const read = (quoted: (text: string) => string): unknown => {
          const lines = rows.map(
            ([cells, ending], index) => cells.map(quoted).join(',') + end(index, ending),
          );
          try {
            return [...parseTable(USERS, Buffer.from(header + lines.join('')), 'users.csv').rows];
          } catch (error) {
            return (error as Failure).message;
          }
        };
        expect(read((plain) => plain)).toEqual(read((plain) => `"${plain}"`));
      }),
      { numRuns: 500 },
    );
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,8}$/), { maxLength: 20 });
    fc.assert(
      fc.property(names, lineEnd, (users, ending) => {
        const lines = ['user,status,note', ...users.map((user) => `${user},paid,é${user}`)].join(ending);
        expect(Array.from(parseTable(USERS, Buffer.from(lines), 'users.csv').rows.values())).toEqual(
          users.map((user) => ({ user, status: 'paid', extra: { note: `é${user}` } })),
        );
      }),
    );
  });

  it('comes back as it was, whatever its cells hold', () => {
    const cell = fc.string({ unit: 'grapheme', maxLength: 12 });
    const awkward = fc.oneof(
      cell,
      fc.constantFrom('"', ',', '\n', '\r\n', '""', ' a ', '\ufeff', '=1+1', "'"),
    );
    const row = fc.record({
      item: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,20}$/),
      quantity: fc.maxSafeNat(),
      name: fc.option(awkward.filter((text) => text !== '')),
      price: fc.option(fc.stringMatching(/^\d{1,8}(\.\d{1,2})?$/).map(normalizePrice)),
      reorderLevel: fc.option(fc.nat()),
      extra: fc.record({ 'a,b': awkward, __proto__: awkward }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ({ item }) => item }), (items) => {
        const columns = ['a,b', 'quantity', 'item', 'name', 'price', 'reorder_level', '__proto__'];
        const rows = items.map((item): [string, Item] => [
          item.item,
          {
            ...item,
            extra: Object.fromEntries(
              columns.flatMap((key) =>
                Object.hasOwn(item.extra, key)
                  ? [[key, (item.extra as Record<string, string>)[key] ?? '']]
                  : [],
              ),
            ),
          },
        ]);
        const table = parseTable(
          INVENTORY,
          Buffer.from(rendered({ kind: INVENTORY, columns, rows: new Map(rows) })),
          'inventory.csv',
        );
        for (const [name, item] of rows) {
          const extra = Object.fromEntries([
            ['a,b', item.extra['a,b'] ?? ''],
            ['__proto__', Object.hasOwn(item.extra, '__proto__') ? (item.extra.__proto__ ?? '') : ''],
          ]);
          expect(table.rows.get(name)).toEqual({ ...item, extra });
        }
        expect([...table.rows.keys()]).toEqual(rows.map(([name]) => name));
        expect(table.columns).toEqual(columns);
      }),
    );
  });
});

describe('a broken CSV', () => {
  const cases: [what: string, text: string | Buffer, line: number, said: string][] = [
    ['empty', '', 1, 'empty'],
    ['of blank lines', '\n\n', 1, 'empty'],
    ['another header', 'name,amount\nbook,1\n', 1, '"name,amount"'],
    ['separated by semicolons', 'item;quantity\nbook;1\n', 1, 'by semicolons, not commas'],
    ['by semicolons, with quotes', '"item";"quantity"\n"book";1\n', 1, 'by semicolons, not commas'],
    ['by semicolons, quoted below', 'item;quantity;x\nbook;1;"a, ""b"\n', 1, 'by semicolons, not commas'],
    ['by semicolons, in other words', '\ufeff\r\nArtikel;"Men;ge"\r\n"Buch";1\r\n', 2, 'by semicolons'],
    ['by tabs', 'item\tquantity\nbook\t"1"\n', 1, 'by tabs, not commas'],
    ['by bars', 'item|quantity\nbook|1\n', 1, 'by bars, not commas'],
    ['by semicolons from a row on', 'item,quantity\nbook,1\npen;2\n', 3, 'by semicolons, not commas'],
    ['the same with quotes', 'item,quantity\nbook,1\n"pen";2\n', 3, 'by semicolons, not commas'],
    ['with a word to Excel', 'sep=;\nitem;quantity\nbook;1\n', 1, '"sep=;" is understood only by Excel'],
    ['a column twice', 'item,quantity,item\n', 1, '"item" twice'],
    ['a nameless column', 'item,quantity,\n', 1, 'column 3'],
    ['a name twice', 'item,quantity\nbook,1\nbook,2\n', 3, '"book" appears twice'],
    ['a formula', 'item,quantity\n=1+1,1\n', 2, '"=1+1"'],
    ['a number with two signs', 'item,quantity\n\nbook,--1\n', 3, '"--1"'],
    ['a fraction', 'item,quantity\nbook,1.0\n', 2, '"1.0"'],
    ['an exponent', 'item,quantity\nbook,1e3\n', 2, '"1e3"'],
    ['too large a number', 'item,quantity\nbook,9007199254740992\n', 2, '"9007199254740992"'],
    ['no quantity', 'item,quantity\nbook,\n', 2, '""'],
    ['a bad price', 'item,quantity,price\nbook,1,"1,50"\n', 2, '"1,50"'],
    ['a bad level', 'item,quantity,reorder_level\nbook,1,low\n', 2, '"low"'],
    ['too many cells', 'item,quantity\nbook,1,2\n', 2, '3 cells'],
    ['too few cells', 'item,quantity\r\nbook,1\r\npen\r\n', 3, 'has 1 cell, the header 2'],
    ['an open quote', 'item,quantity\nbook,1\n"pen,2\ncup,3\n', 3, 'Quote'],
    ['a stray quote', 'item,quantity\nbook,1\npe"n,2\n', 3, 'Quote'],
    ['after a cell of lines', 'item,quantity,x\r\nbook,1,"a\r\n\r\nb"\r\npen,x,\r\n', 5, '"x"'],
    ['not UTF-8', Buffer.from([...Buffer.from('item,quantity\nb'), 0xfc, 0x63, 0x68]), 2, 'UTF-8'],
    ['a long value', `item,quantity\n${'x'.repeat(5_000)},1\n`, 2, '…'],
  ];
  it.each(cases)('is refused with file, line and what is expected: %s', (_what, text, line, said) => {
    const failure = failureOf(() =>
      parseTable(INVENTORY, Buffer.from(text as string), '/data/inventory.csv'),
    );
    expect(failure.code).toBe('corrupt_file');
    expect(failure.context).toEqual({ file: '/data/inventory.csv', line });
    expect(failure.message).toContain(`/data/inventory.csv:${line}: `);
    expect(failure.message).toContain(said);
    expect(failure.message.length).toBeLessThan(200);
    expect(failure.fix).not.toBeNull();
    expect(/by commas|with commas/.test(fixText(failure))).toBe(/separated by|Excel/.test(failure.message));
  });

  it('is not one for a semicolon inside of a cell', () => {
    const text = 'item,quantity,"a;b"\nbook,1,x;y;z\npen,2,"u;v"\n';
    expect(parseTable(INVENTORY, Buffer.from(text), 'inventory.csv').rows.size).toBe(2);
  });

  it('is one with another status than paid or unpaid, in small letters', () => {
    for (const status of ['Paid', '', 'yes']) {
      const failure = failureOf(() =>
        parseTable(USERS, Buffer.from(`user,status\nbob,${status}\n`), 'users.csv'),
      );
      expect(failure.message).toBe(`users.csv:2: status of user bob is ${JSON.stringify(status)}`);
    }
  });
});
