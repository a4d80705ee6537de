import { expect, test } from 'vitest';
import { parseTable } from '../../../src/adapters/files/csv/parse.ts';
import { INVENTORY } from '../../../src/adapters/files/tables/columns.ts';
import { mergeHandEdit } from '../../../src/adapters/files/edits/hand-edits.ts';

const NOW = 1_800_000_000_000;

test.each([
  'item,quantity,name,price,reorder_level\nbook,10,Book,12.50,3\npen,50,Pen,1.20,12\nhat,120,Hat,12.50,15\n',
  'item,quantity,shelf\nbook,10,A1\npen,50,B2\nhat,120,D42\n',
  'item,quantity,price\nbook,10,1.50\npen,50,3.20\nhat,120,14.75\n',
])('a file that is cut anywhere in its last row is kept aside or broken: %j', (text) => {
  const current = parseTable(INVENTORY, Buffer.from(text), 'inventory.csv');
  const version = { undo: new Map(), at: NOW - 3_600_000, unread: false, hand: null };
  const clues = { nowMs: NOW, savedMs: NOW, isEnded: false, isComplete: true };
  const taken: string[] = [];
  for (let end = text.length - 2; end > 20; end--) {
    const part = text.slice(0, end);
    if (part.endsWith('\n')) continue;
    let edits = 0;
    try {
      const edit = mergeHandEdit(
        parseTable(INVENTORY, Buffer.from(part), 'inventory.csv'),
        current,
        [version],
        clues,
      );
      if (edit.kind === 'merged') edits = edit.edits.length;
    } catch {
      continue;
    }
    if (edits > 0) taken.push(part.slice(-12));
  }
  expect(taken).toEqual([]);
});
