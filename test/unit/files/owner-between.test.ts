import { expect, it } from 'vitest';
import { openFolder } from '../../../src/adapters/files/folder.ts';
import { realFileSystem } from '../../../src/adapters/files/fs.ts';
import { askOrOwn, openOwned } from '../../../src/adapters/files/owned.ts';
import type { FileStore } from '../../../src/adapters/files/store.ts';
import { systemClock } from '../../../src/compose.ts';
import type { Edit } from '../../../src/domain/edit.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

it(
  'an edit is made by an owner who came after nobody answered, though it stays',
  { timeout: 20_000 },
  async () => {
    const folder = temporaryFolder();
    const onNotice = (): void => undefined;
    await openFolder({ folder, clock: systemClock }).edit(
      { kind: 'item.add', item: 'pen', quantity: 1 },
      { via: 'command', onNotice },
    );
    const opened = { folder, files: realFileSystem, clock: systemClock, user: 'me' };
    const request = { kind: 'item.update', item: 'pen', by: 5 } as const;
    const from = { by: 'me', via: 'command' } as const;
    let owner: Promise<FileStore> | undefined;
    const edit = await askOrOwn<Edit>(
      opened,
      { kind: 'edit', request, ...from },
      { via: 'command', onNotice },
      (store) => store.edit(request, from),
      () => void (owner ??= openOwned(opened, { purpose: 'run', via: 'consume', onNotice })),
    );
    expect(edit).toMatchObject({ before: { quantity: 1 }, after: { quantity: 6 } });
    await (await owner)?.[Symbol.asyncDispose]();
  },
);
