import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { parseEdit } from '../../../src/adapters/files/logs/edit-line.ts';
import { readEditLog } from '../../../src/app/tables/edit-log.ts';
import { previewUndo, undoEdit } from '../../../src/app/tables/undo.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreAccess } from '../../../src/ports/access.ts';

it('a move of a position that names no processor is one of orders: older folders have no other', () => {
  const move = { kind: 'position', topic: 'orders', partition: 0, before: 5, after: 2, cause: 'reset' };
  const stamp = { at: '2026-01-02T03:04:05.006Z', by: 'me', via: 'command' };
  const read = (fields: object) => parseEdit(Buffer.from(JSON.stringify({ ...stamp, ...move, ...fields })));
  expect(read({})).toMatchObject({ ...move, processor: 'orders' });
  expect(read({ processor: 'payment' })).toMatchObject({ processor: 'payment' });
});

it('the log of edits has the reason of an edit, and what it takes back: once', async () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-origin-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true }));
  const access = openFolder({ folder, clock: systemClock });
  const how = { via: 'command', onNotice: () => undefined } as const;
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 5 }, { ...how, why: 'new' });
  await access.edit({ kind: 'item.update', item: 'pen', by: 2 }, how);
  const undo = (number: number) =>
    undoEdit(access, { table: 'inventory', number, name: null, why: 'miscounted', onNotice: how.onNotice });
  const before = fs.readFileSync(path.join(folder, '.orderctl', 'edits.jsonl'), 'utf8');
  expect(await previewUndo(access, { table: 'inventory', number: null, name: null })).toMatchObject({
    undoes: 2,
    edits: [{ kind: 'item', item: 'pen', before: { quantity: 7 }, after: { quantity: 5 } }],
  });
  expect(fs.readFileSync(path.join(folder, '.orderctl', 'edits.jsonl'), 'utf8')).toBe(before);
  expect(await undo(2)).toMatchObject({ undoes: 2, merge: { changed: 1 } });
  await expect(undo(2)).rejects.toMatchObject({ code: 'changed_since' });
  await using reader = await access.read();
  const rows = await readEditLog(reader, 'inventory');
  expect(rows.map(({ edit: { via, why, undoes } }) => [via, why, undoes])).toEqual([
    ['command', 'new', undefined],
    ['command', undefined, undefined],
    ['undo', 'miscounted', 2],
  ]);
});

it.each(['before the copy is made', 'once it is written'])(
  'an edit that is taken back %s is not taken back once more, nor is that undo',
  async (when) => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-origin-'));
    onTestFinished(() => fs.rmSync(folder, { recursive: true }));
    const access = openFolder({ folder, clock: systemClock });
    const how = { via: 'command', onNotice: () => undefined } as const;
    await access.edit({ kind: 'item.add', item: 'pen', quantity: 5 }, how);
    await access.edit({ kind: 'item.update', item: 'pen', by: 2 }, how);
    const undo = (by: StoreAccess, number: number | null): Promise<unknown> =>
      undoEdit(by, { table: 'inventory', number, name: null, why: undefined, onNotice: how.onNotice });
    let others = 1;
    const other = async (): Promise<void> => {
      if (others-- > 0) await undo(access, 2);
    };
    const isEarly = when === 'before the copy is made';
    const beside: StoreAccess = {
      ...access,
      async copyTable(...args) {
        if (isEarly) await other();
        const copy = await access.copyTable(...args);
        const write: typeof copy.write = async (table) => {
          await copy.write(table);
          await other();
        };
        return { ...copy, write };
      },
    };
    await expect(undo(beside, isEarly ? 2 : null)).rejects.toMatchObject({
      code: 'changed_since',
      message: 'edit 2 of pen was undone by edit 3',
    });
    await using reader = await access.read();
    expect([...(await reader.items())].map(({ quantity }) => quantity)).toEqual([5]);
  },
);
