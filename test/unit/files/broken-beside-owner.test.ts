import fs from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { StatusBoard } from '../../../src/app/run/status/board.ts';
import { systemClock } from '../../../src/compose.ts';
import type { StoreNotice } from '../../../src/ports/notices.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { waitFor } from '../../support/wait.ts';

const newFolder = temporaryFolder();

it('an edit beside a consumer warns of a file that is broken, as one without it does', async () => {
  const folder = newFolder();
  const access = openFolder({ folder, clock: systemClock });
  const notices: StoreNotice[] = [];
  const how = { via: 'command', onNotice: (notice: StoreNotice) => void notices.push(notice) } as const;
  await access.edit({ kind: 'item.add', item: 'pen', quantity: 1 }, how);
  const file = path.join(folder, 'inventory.csv');
  const good = fs.readFileSync(file);

  const { signal } = new AbortController();
  const board = new StatusBoard([], { names: new Map(), signal }, systemClock);
  const owner = await access.own({
    purpose: 'consume',
    via: 'consume',
    status: () => board.status(),
    onNotice: (notice) => board.take({ kind: 'notice', notice }),
  });
  fs.appendFileSync(file, 'mug\n');
  await waitFor(
    'the look of the owner',
    () => board.status().brokenFiles,
    (broken) => broken.length === 1,
  );
  const beside: StoreNotice[][] = [];
  for (const edit of [
    { kind: 'item.update', item: 'pen', by: 1 },
    { kind: 'user.add', user: 'alice', status: 'paid' },
  ] as const) {
    notices.length = 0;
    await access.edit(edit, how);
    beside.push([...notices]);
  }
  notices.length = 0;
  const letters = [{ id: '0:1', key: 'k' }];
  await access.edit(
    { kind: 'dead_letter.mark', topic: 'dlq', action: 'discarded', why: 'old', letters },
    how,
  );
  expect(notices).toEqual([]);
  fs.writeFileSync(file, good);
  await waitFor(
    'the look of the owner',
    () => board.status().brokenFiles,
    (broken) => broken.length === 0,
  );
  await access.edit({ kind: 'user.remove', user: 'alice' }, how);
  expect(notices).toEqual([]);
  await owner[Symbol.asyncDispose]();

  fs.appendFileSync(file, 'mug\n');
  await access.edit({ kind: 'item.update', item: 'pen', by: 1 }, how);
  const alone = notices.filter(({ kind }) => kind === 'file_broken');
  expect(alone).toMatchObject([{ message: expect.stringContaining('inventory.csv:') as string }]);
  const fixes = alone.map((notice) => ('fix' in notice ? notice.fix : null));
  expect(fixes[0]).toContain('one cell');
  for (const said of beside)
    expect(said).toMatchObject([{ kind: 'file_broken', file, line: 3, fix: fixes[0] }]);
});
