import path from 'node:path';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreAbout, StoreAdmin } from '../../../ports/whole/store-admin.ts';
import { LISTS, type ListName } from '../../../ports/whole/lists.ts';
import { folderLists, readList } from '../csv/list-file.ts';
import { realFileSystem, type FileSystem } from '../fs.ts';
import { checkIsFolder } from '../is-folder.ts';
import { FORMAT, readState } from '../journal/checkpoint.ts';
import { DECISION_LOGS, innerFolder, isFactFile, isStorage } from '../layout.ts';
import { openOwned } from '../owned.ts';

const CHUNK_BYTES = 1024 * 1024;
const LINE_FEED = 10;

/** A storage folder as a whole. */
export function folderAdmin({ folder: given, clock }: { folder: string; clock: Clock }): StoreAdmin {
  const folder = path.resolve(given);
  checkIsFolder(folder);
  const files = realFileSystem;
  return {
    name: folder,
    lists: folderLists({ files, folder, clock }),
    about: () => about(files, folder, clock),
    async migrate() {
      const from = isStorage(files, folder) ? formatOf(files, folder) : null;
      const options = { purpose: 'store migrate', via: 'command', onNotice: () => undefined } as const;
      const store = await openOwned({ folder, files, clock, user: undefined }, options);
      await store[Symbol.asyncDispose]();
      return { from, to: FORMAT };
    },
    archive: null,
    async source(to) {
      const { openFolderSource } = await import('./source.ts');
      return openFolderSource(files, folder, clock, to);
    },
    async target(of) {
      const { FolderTarget } = await import('./target.ts');
      return FolderTarget.open(files, folder, clock, of);
    },
  };
}

async function about(files: FileSystem, folder: string, clock: Clock): Promise<StoreAbout> {
  const { FolderReader } = await import('../reader.ts');
  // Opening it reports what is wrong with a folder that is not a storage folder.
  await using reader = await FolderReader.open(files, folder, clock, () => undefined);
  const inner = innerFolder(folder);
  const logs = files
    .list(folder)
    .filter((name) => [...DECISION_LOGS, 'movements.jsonl'].includes(name) || isFactFile(name))
    .sort();
  return {
    kind: 'folder',
    server: null,
    storeId: reader.storeId,
    version: formatOf(files, folder),
    newest: FORMAT,
    sizeBytes: sizeOf(files, folder) + sizeOf(files, inner),
    rows: [
      { name: 'users.csv', rows: [...(await reader.users())].length },
      { name: 'inventory.csv', rows: [...(await reader.items())].length },
      ...(Object.keys(LISTS) as ListName[]).flatMap((list) => {
        const rows = readList(files, folder, list);
        return rows.length === 0 ? [] : [{ name: `${list}.csv`, rows: rows.length }];
      }),
      ...logs.map((name) => ({ name, rows: linesIn(files, path.join(folder, name)) })),
      { name: '.orderctl/edits.jsonl', rows: linesIn(files, path.join(inner, 'edits.jsonl')) },
    ],
  };
}

/** The newest format when there is no state yet: a user has started to create the folder. */
function formatOf(files: FileSystem, folder: string): number {
  return readState(files, innerFolder(folder))?.format ?? FORMAT;
}

function sizeOf(files: FileSystem, folder: string): number {
  return files
    .list(folder)
    .reduce((sum, name) => sum + (files.stat(path.join(folder, name))?.sizeBytes ?? 0), 0);
}

function linesIn(files: FileSystem, name: string): number {
  if (files.stat(name) === undefined) return 0;
  const fd = files.open(name, 'read');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  try {
    for (let position = 0; ;) {
      const count = files.read(fd, chunk, position);
      if (count === 0) return lines;
      const read = chunk.subarray(0, count);
      for (let at = read.indexOf(LINE_FEED); at !== -1; at = read.indexOf(LINE_FEED, at + 1)) lines += 1;
      position += count;
    }
  } finally {
    files.close(fd);
  }
}
