import path from 'node:path';
import { Failure, isFailure } from '../../../domain/failure.ts';
import type { Clock } from '../../../ports/clock.ts';
import { keyIn, LISTS, type ListName, type ListRow, type Lists } from '../../../ports/whole/lists.ts';
import { writeFailure, type FileSystem } from '../fs.ts';
import { innerFolder, isStorage, noStorage } from '../layout.ts';
import { openOwned } from '../owned.ts';
import { acquire } from '../owner/owner.ts';
import { readWhole, writeFresh } from '../whole-files.ts';
import { refuseSealed } from '../whole/seal.ts';
import { quote } from './render.ts';
import { parseSpreadsheet } from './spreadsheet.ts';

/** How long to wait for other processes before giving up. */
const WAIT_MS = 10_000;
const RETRY_MS = 20;

/**
 * The lists of a folder: one CSV each, which is the source of truth and may be edited by hand. They are changed without
 * asking the owner of the folder, one change at a time.
 */
export function folderLists(opened: { files: FileSystem; folder: string; clock: Clock }): Lists {
  const { files, folder } = opened;
  return {
    async rows(list) {
      if (!isStorage(files, folder)) throw noStorage(files, folder);
      return readList(files, folder, list);
    },
    async change(list, change) {
      refuseSealed(files, folder);
      if (!isStorage(files, folder)) await makeFolder(opened);
      const turn = await takeTurn(opened);
      try {
        const before = readList(files, folder, list);
        const after = change(before);
        if (JSON.stringify(before) !== JSON.stringify(after)) await writeList(files, folder, list, after);
      } finally {
        await turn[Symbol.asyncDispose]();
      }
    },
  };
}

async function makeFolder(opened: { files: FileSystem; folder: string; clock: Clock }): Promise<void> {
  const options = { purpose: 'edit', via: 'command', onNotice: () => undefined } as const;
  await (await openOwned({ ...opened, user: undefined }, options))[Symbol.asyncDispose]();
}

/** @throws Failure folder_in_use */
async function takeTurn({ folder, clock }: { folder: string; clock: Clock }): Promise<AsyncDisposable> {
  const until = clock.elapsed() + WAIT_MS;
  for (;;) {
    try {
      return await acquire(path.join(innerFolder(folder), 'lists'), { purpose: 'edit' }, async () => null);
    } catch (error) {
      if (!isFailure(error, 'folder_in_use') || clock.elapsed() > until) throw error;
      await clock.sleep(RETRY_MS);
    }
  }
}

function fileOf(folder: string, list: ListName): string {
  return path.join(folder, `${list}.csv`);
}

/** @throws Failure corrupt_file, invalid_input */
export function readList(files: FileSystem, folder: string, list: ListName): readonly ListRow[] {
  const file = fileOf(folder, list);
  const bytes = readWhole(files, file);
  if (bytes === undefined || bytes.byteLength === 0) return [];
  const { header, line, rows } = parseSpreadsheet(bytes, file);
  const [key] = LISTS[list];
  const broken = (at: number, what: string, fix: string): Failure =>
    new Failure('corrupt_file', `${file}:${at}: ${what}`, { fix, context: { file, line: at } });
  if (!header.includes(key)) throw broken(line, `no column is named ${key}`, 'add it to the first line');
  const seen = new Set<string>();
  return rows.map(({ line: at, cells }) => {
    const row = Object.fromEntries(header.map((name, column) => [name, cells[column] ?? '']));
    const name = keyIn(list, row);
    if (name === '' || seen.has(name))
      throw broken(at, name === '' ? `it has no ${key}` : `${name} appears twice`, 'correct that line');
    seen.add(name);
    return row;
  });
}

/** Durable when this resolves. @throws Failure write_failed */
export async function writeList(
  files: FileSystem,
  folder: string,
  list: ListName,
  rows: readonly ListRow[],
): Promise<void> {
  const file = fileOf(folder, list);
  const columns = [...new Set([...LISTS[list], ...rows.flatMap((row) => Object.keys(row))])];
  const text = [columns, ...rows.map((row) => columns.map((name) => row[name] ?? ''))]
    .map((cells) => `${cells.map(quote).join(',')}\n`)
    .join('');
  try {
    await writeFresh(files, `${file}.new`, [Buffer.from(text)], files.stat(file)?.access);
    files.rename(`${file}.new`, file);
    await files.syncDirectory(folder);
  } catch (error) {
    throw writeFailure(error, file);
  }
}
