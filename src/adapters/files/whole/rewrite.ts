import fs from 'node:fs';
import path from 'node:path';
import type { FactLog } from '../../../domain/facts.ts';
import { RESTORED_KEY, REWRITTEN } from '../../../domain/messages/restored.ts';
import type { User } from '../../../domain/tables.ts';
import type { Clock } from '../../../ports/clock.ts';
import { wholeTransactions, type Rewriting, type StoreRest } from '../../../ports/whole/store-copy.ts';
import type { HistoryLine } from '../../../ports/store.ts';
import type { FileSystem } from '../fs.ts';
import { formsOf, keepForms } from './csv-forms.ts';
import type { FormerCsv } from './former-csvs.ts';
import { clearReplacement, replacementOf } from './replace.ts';
import { FolderTarget } from './target.ts';

/** The whole content of a folder. */
interface Whole {
  readonly storeId: string;
  readonly factLogs: readonly FactLog<never>[];
  readonly history: AsyncIterable<readonly HistoryLine[]>;
  readonly rest: StoreRest;
}

/**
 * Creates the changed folder inside the folder itself; it is complete and closed when this resolves.
 *
 * @returns the CSVs that it was made from
 * @throws Failure changed_since: a user has saved one of them
 */
export async function makeReplacement(
  { files, folder, clock }: { readonly files: FileSystem; readonly folder: string; readonly clock: Clock },
  { storeId, factLogs, history, rest }: Whole,
  rewriting: Rewriting,
): Promise<readonly FormerCsv[]> {
  const forms = await formsOf(files, folder, clock);
  clearReplacement(folder);
  const of = { storeId, factLogs, from: folder };
  await using target = await FolderTarget.open(files, replacementOf(folder), clock, of);
  for await (const lines of wholeTransactions(history, 0)) {
    await target.add(lines.map((line) => rewriting.line(line)));
  }
  const users = Array.from(rest.users, (row): User => rewriting.user(row));
  const small = new Map(rest.small).set(REWRITTEN.name, new Map([[RESTORED_KEY, { at: clock.now() }]]));
  await target.finish({ ...rest, users, small });
  await target.open();
  await keepForms(files, replacementOf(folder), clock, forms);
  return forms.map(({ table, name, fingerprint }) => ({ table, name, fingerprint }));
}

const CHUNK_BYTES = 1024 * 1024;
/** The characters of a name: next to one of these, a text is part of another name. */
const OF_A_NAME = /[A-Za-z0-9._:@/-]/;

/** The files of a folder, relative to it, that contain one of these texts other than as part of a longer word. */
export function placesOf(folder: string, texts: readonly string[]): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => path.join(parentPath, name))
    .filter((file) => holdsOneOf(file, texts))
    .map((file) => path.relative(folder, file))
    .sort();
}

function holdsOneOf(file: string, texts: readonly string[]): boolean {
  const longest = Math.max(0, ...texts.map((text) => Buffer.byteLength(text)));
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  const fd = fs.openSync(file, 'r');
  try {
    let before = '';
    for (;;) {
      const count = fs.readSync(fd, chunk);
      if (count === 0) return texts.some((text) => holds(before, text, true));
      // Bytes, so that no chunk ends within a character.
      const all = before + chunk.toString('latin1', 0, count);
      if (texts.some((text) => holds(all, text, false))) return true;
      before = all.slice(-(longest + 1));
    }
  } finally {
    fs.closeSync(fd);
  }
}

/** @param isEnd nothing follows, so that a match at the end is complete */
function holds(all: string, text: string, isEnd: boolean): boolean {
  const wanted = Buffer.from(text).toString('latin1');
  for (let at = all.indexOf(wanted); at !== -1; at = all.indexOf(wanted, at + 1)) {
    const end = at + wanted.length;
    if (end === all.length && !isEnd) continue;
    if (!OF_A_NAME.test(all.charAt(at - 1)) && !OF_A_NAME.test(all.charAt(end))) return true;
  }
  return false;
}
