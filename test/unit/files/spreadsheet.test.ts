import { describe, expect, it } from 'vitest';
import { parseSpreadsheet } from '../../../src/adapters/files/csv/spreadsheet.ts';

const parsed = (text: string | Buffer): { header: readonly string[]; rows: string } => {
  const { header, rows } = parseSpreadsheet(Buffer.from(text), 'list.csv');
  return { header, rows: rows.map(({ line, cells }) => `${line}:${cells.join('|')}`).join(' ') };
};

describe('what spreadsheets export is read', () => {
  it.each([
    ['commas', 'item,quantity\npen,5\n'],
    ['semicolons', 'item;quantity\r\npen;5\r\n'],
    ['tabs', 'item\tquantity\rpen\t5'],
    ["Excel's line about them", 'sep=;\r\nitem;quantity\r\npen;5\r\n'],
    ['a byte order mark', '\ufeffitem,quantity\npen,5\n'],
    ['quotes', '"item","quantity"\n"pen","5"\n'],
  ])('with %s', (_, text) => {
    const first = text.startsWith('sep') ? 3 : 2;
    expect(parsed(text)).toEqual({ header: ['item', 'quantity'], rows: `${first}:pen|5` });
  });

  it('in UTF-16 and in the code page of Windows', () => {
    const text = 'item\tname\npen\tStück\n';
    const wide = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(text, 'utf16le')]);
    expect(parsed(wide).rows).toBe('2:pen|Stück');
    expect(parsed(Buffer.from(text, 'latin1')).rows).toBe('2:pen|Stück');
  });

  it('with lines counted as an editor does, and without empty rows', () => {
    expect(parsed('item,name\n\npen,"two\nlines"\n,\nbook,\n').rows).toBe('3:pen|two\nlines 6:book|');
  });

  it('but not where quotes do not fit together, or nothing is there', () => {
    expect(() => parsed('item,name\npen,"x\n')).toThrow(/^list\.csv:\d: .*[Qq]uote/);
    expect(() => parsed('\n,\n')).toThrow('list.csv is empty');
  });
});
