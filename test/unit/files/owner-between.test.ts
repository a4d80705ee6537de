import { expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { askOrOwn, openOwned } from '../../../src/adapters/files/owned.ts';
import type { FileStore } from '../../../src/adapters/files/store.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Edit } from '../../../src/domain/edit.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const newFolder = temporaryFolder();

it(
  'an edit is made by a run that starts between asking and owning, on a slow machine too',
  { timeout: 20_000 },
  async () => {
    const folder = newFolder();
    const onNotice = (): void => undefined;
    await openFolder({ folder, clock: systemClock }).edit(
      { kind: 'item.add', item: 'pen', quantity: 1 },
      { via: 'command', onNotice },
    );
    const opened = { folder, files: realFileSystem, clock: systemClock, user: 'me' };
    // A machine so busy that each look at the clock is seconds after the last.
    let now = 0;
    const slow = { ...systemClock, elapsed: () => (now += 3_000) };
    const request = { kind: 'item.update', item: 'pen', by: 5 } as const;
    const from = { by: 'me', via: 'command' } as const;
    let owner: Promise<FileStore> | undefined;
    const edit = await askOrOwn<Edit>(
      { ...opened, clock: slow },
      { kind: 'edit', request, ...from },
      { via: 'command', onNotice },
      (store) => store.edit(request, from),
      () => void (owner ??= openOwned(opened, { purpose: 'run', via: 'consume', onNotice })),
    );
    expect(edit).toMatchObject({ before: { quantity: 1 }, after: { quantity: 6 } });
    await (await owner)?.[Symbol.asyncDispose]();
  },
);

it('an edit is made though the folder was taken from under it and is free again, on a slow machine too', async () => {
  const folder = newFolder();
  const onNotice = (): void => undefined;
  let now = 0;
  const slow = { ...systemClock, elapsed: () => (now += 3_000) };
  const request = { kind: 'item.add', item: 'pen', quantity: 5 } as const;
  const from = { by: 'me', via: 'command' } as const;
  let tries = 0;
  const edit = await askOrOwn<Edit>(
    { folder, files: realFileSystem, clock: slow, user: 'me' },
    { kind: 'edit', request, ...from },
    { via: 'command', onNotice },
    async (store) => {
      tries += 1;
      if (tries === 1) throw new Failure('folder_in_use', 'another was faster');
      return store.edit(request, from);
    },
  );
  expect(edit).toMatchObject({ after: { quantity: 5 } });
  expect(tries).toBe(2);
});
