import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { StoreBackup } from '../../../ports/access.ts';
import { LISTS } from '../../../ports/whole/lists.ts';
import type { Clock } from '../../../ports/clock.ts';
import { errorCode, writeFailure, type FileSystem } from '../fs.ts';
import { innerFolder, isStoreFile, journalPath, type LogName } from '../layout.ts';
import { LogView } from '../logs/log.ts';
import { openOrUndefined } from '../whole-files.ts';
import { readSeal } from '../whole/seal.ts';
import { writeState } from './checkpoint.ts';
import type { LoadedFolder } from './recover.ts';
import { FolderSnapshot } from './snapshot.ts';

/*
 * Copies a folder as it is at one moment, while its owner runs: the checkpoint, the logs up to the sizes that it names,
 * and the journals after it up to the last complete record. A crash at that moment would leave the same, and the copy
 * is recovered in the same way.
 */

/** The fix when the target is in use. */
export const NEW_FOLDER = 'name a folder that is empty or does not exist yet';

const CHUNK_BYTES = 256 * 1024;
const RETRIES = 20;
/** Not copied with the other files: copied in another way, or part of a running process. */
const NOT_COPIED =
  /^(?:owner\b.*|edit-\w{6}|redrive|lists|undelivered|before-\d+|replacement|sealed\.json|.*\.tmp)$/;

/** Sources of truth of their own, replaced as a whole. */
const LIST_FILES = new Set(Object.keys(LISTS).map((name) => `${name}.csv`));

/** @throws Failure not_found, already_exists, corrupt_state, write_failed */
export async function backUp(
  { files, folder, clock }: { files: FileSystem; folder: string; clock: Clock },
  target: string,
): Promise<StoreBackup> {
  assertEmpty(files, folder, target);
  await using source = await openSource(files, folder, clock);
  const copy = new FolderCopy(files, folder, target);
  try {
    await copy.take(source);
  } catch (error) {
    if (error instanceof Failure || errorCode(error) === undefined) throw error;
    throw writeFailure(error, target);
  }
  const { loaded, tables } = source.snapshot;
  return {
    files: copy.count,
    sizeBytes: copy.sizeBytes,
    storeId: loaded?.state.folderId ?? null,
    positions: [...tables.positions()],
  };
}

function assertEmpty(files: FileSystem, folder: string, target: string): void {
  const within = path.relative(folder, target);
  if (within === '' || (!within.startsWith('..') && !path.isAbsolute(within))) {
    throw new Failure('invalid_value', `${target} is inside ${folder}, which is to be copied`, {
      fix: 'name a folder outside it, on another disk if possible',
    });
  }
  if (files.list(target).length === 0) return;
  throw new Failure('already_exists', `${target} is not empty`, {
    fix: NEW_FOLDER,
    context: { file: target },
  });
}

interface Source extends AsyncDisposable {
  readonly snapshot: FolderSnapshot;
  /**
   * The files other than logs and journals that the checkpoint names, opened since the owner may remove them meanwhile.
   */
  readonly named: ReadonlyMap<string, number>;
}

async function openSource(files: FileSystem, folder: string, clock: Clock): Promise<Source> {
  for (let attempt = 1; ; attempt++) {
    const snapshot = await FolderSnapshot.open(files, folder, clock, ({ csvs }, isLast) =>
      isLast ? 0 : Math.max(csvs.users.unsettledMs, csvs.inventory.unsettledMs),
    );
    const { state } = snapshot.loaded ?? {};
    const named = new Map<string, number>();
    const close = async (): Promise<void> => {
      for (const fd of named.values()) files.close(fd);
      snapshot.close();
    };
    const names = state === undefined ? [] : [state.tables.file, ...state.ids];
    for (const name of names) {
      const fd = openOrUndefined(files, path.join(innerFolder(folder), name));
      if (fd !== undefined) named.set(name, fd);
    }
    if (named.size === names.length || attempt === RETRIES) {
      return { snapshot, named, [Symbol.asyncDispose]: close };
    }
    // Another checkpoint has replaced them.
    await close();
  }
}

class FolderCopy {
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #target: string;
  count = 0;
  sizeBytes = 0;

  constructor(files: FileSystem, folder: string, target: string) {
    this.#files = files;
    this.#folder = folder;
    this.#target = target;
  }

  async take({ snapshot, named }: Source): Promise<void> {
    const { loaded, csvs } = snapshot;
    const inner = innerFolder(this.#target);
    this.#files.makeDirectory(inner);
    for (const { name, bytes } of [csvs.users, csvs.inventory]) {
      if (bytes !== undefined) await this.#write(path.basename(name), [bytes]);
    }
    for (const name of this.#files.list(this.#folder)) {
      if (name.endsWith('.conflict') || LIST_FILES.has(name)) await this.#whole(name);
    }
    if (loaded !== undefined) await this.#truth(loaded, snapshot, named);
    for (const name of this.#files.list(innerFolder(this.#folder))) {
      if (!isStoreFile(name) && !NOT_COPIED.test(name)) await this.#whole(path.join('.orderctl', name));
    }
    // A replacement that started since then is not part of this moment: its seal would replace the copy with nothing.
    const seal = readSeal(this.#files, this.#folder);
    if (seal !== null && seal.why !== 'replacing') await this.#whole(path.join('.orderctl', 'sealed.json'));
    await this.#undelivered();
    for (const directory of [inner, this.#target, path.dirname(this.#target)]) {
      await this.#files.syncDirectory(directory);
    }
    // Last: without it, an unfinished copy cannot be mistaken for a complete folder.
    if (loaded !== undefined) await writeState(this.#files, inner, loaded.state);
  }

  async #truth(loaded: LoadedFolder, snapshot: FolderSnapshot, named: Source['named']): Promise<void> {
    const { state, journal, journalFds } = loaded;
    // A log that the checkpoint does not name yet is in the journals.
    for (const [log, found] of Object.entries(state.logs)) {
      if (found === undefined) continue;
      const { file, sizeBytes } = found;
      await this.#write(file, bytesOf(snapshot.view(log as LogName), sizeBytes));
    }
    for (const [name, fd] of named) await this.#open(path.join('.orderctl', name), fd);
    for (const [at, fd] of journalFds.entries()) {
      const number = state.journal.number + at;
      // A journal after the last one of the chain is empty.
      if (number > journal.number) break;
      const name = path.relative(this.#folder, journalPath(innerFolder(this.#folder), number));
      await this.#open(name, fd, number === journal.number ? journal.end.sizeBytes : undefined);
    }
  }

  async #undelivered(): Promise<void> {
    const names = this.#files.list(path.join(innerFolder(this.#folder), 'undelivered'));
    if (names.length === 0) return;
    const kept = path.join(innerFolder(this.#target), 'undelivered');
    this.#files.makeDirectory(kept);
    for (const name of names) await this.#whole(path.join('.orderctl', 'undelivered', name));
    await this.#files.syncDirectory(kept);
  }

  /** Copies a file that is only ever replaced as a whole. */
  async #whole(name: string): Promise<void> {
    const fd = openOrUndefined(this.#files, path.join(this.#folder, name));
    if (fd === undefined) return;
    try {
      await this.#open(name, fd);
    } finally {
      this.#files.close(fd);
    }
  }

  async #open(name: string, fd: number, end = Infinity): Promise<void> {
    const sizeBytes = Math.min(end, this.#files.statOpen(fd).sizeBytes);
    const view = new LogView(this.#files, [{ fd, at: 0, position: 0, sizeBytes }]);
    await this.#write(name, bytesOf(view, sizeBytes));
  }

  /** Uses this user's mode for new files, but none wider than that of the original. */
  async #write(name: string, chunks: Iterable<Buffer>): Promise<void> {
    const fd = this.#files.open(path.join(this.#target, name), 'create');
    try {
      const own = this.#files.statOpen(fd).access;
      const copied = this.#files.stat(path.join(this.#folder, name))?.access ?? own;
      this.#files.setAccess(fd, { ...own, mode: own.mode & copied.mode });
      let at = 0;
      for (const chunk of chunks) {
        this.#files.write(fd, chunk, at);
        at += chunk.byteLength;
        await new Promise((resolve) => setImmediate(resolve));
      }
      await this.#files.sync(fd);
      this.count += 1;
      this.sizeBytes += at;
    } finally {
      this.#files.close(fd);
    }
  }
}

function* bytesOf(view: LogView, sizeBytes: number): Generator<Buffer> {
  for (let at = 0; at < sizeBytes; at += CHUNK_BYTES) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, sizeBytes - at));
    yield chunk.subarray(0, view.read(chunk, at));
  }
}
