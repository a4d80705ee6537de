import { userInfo } from 'node:os';
import path from 'node:path';
import { decideEdit, type Edit, type EditRequest, type EditVia } from '../../domain/edit.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { OwnOptions, RunningConsumer } from '../../ports/owner.ts';
import type { TableMerge } from '../../ports/table-copy.ts';
import type { FileStore as FileStoreType } from './store.ts';
import { checkIsFolder } from './is-folder.ts';
import { realFileSystem, type FileSystem } from './fs.ts';
import { INVENTORY, USERS, type TableName } from './tables/columns.ts';
import { listKeptAside } from './csv/kept-aside.ts';
import { EDIT_PURPOSE } from './owner/wire.ts';
import { processes } from './owner/processes.ts';
import { innerFolder, isStorage, noStorage } from './layout.ts';
import { recentOrderIds } from './logs/recent-ids.ts';
import { roomOf } from './disk-space.ts';

/** How long an owner may take for an edit: its batch in hand comes first. */
const EDIT_TIMEOUT_MS = 10_000;
/** For how long to go on when the owner comes and goes between asking it and owning the folder. */
const RACE_MS = 2_000;
const RACE_RETRY_MS = 50;

/** How long an owner may take to say how it is: it waits for nothing to do so. */
const STATUS_TIMEOUT_MS = 5_000;

/** What is asked of an owner by the folder's socket. */
type SocketRequest =
  | { readonly kind: 'edit'; readonly request: EditRequest; readonly by: string; readonly via: EditVia }
  /** Answered by a TableMerge. `copy` is the name of its directory. */
  | {
      readonly kind: 'merge';
      readonly table: TableName;
      readonly copy: string;
      readonly by: string;
      readonly via: EditVia;
    }
  /** Answered by a RunningConsumer; by null when the owner is no consumer. */
  | { readonly kind: 'status' }
  /** Answered by whether the owner is a consumer, which then stops. */
  | { readonly kind: 'stop' };

type Answer = Edit | TableMerge | RunningConsumer | boolean | null;

/** The store in a folder of files. Opening touches nothing. */
export function openFolder(options: {
  folder: string;
  clock: Clock;
  files?: FileSystem;
  /** Who edits, for the log of edits; the operating system's name of the user unless given. */
  user?: string;
}): StoreAccess {
  const folder = path.resolve(options.folder);
  checkIsFolder(folder);
  const { clock, files = realFileSystem } = options;
  const user = (): string => options.user ?? userName();

  const openOwned = async (how: OwnOptions): Promise<FileStoreType> => {
    // What only owners need is loaded by owners: readers are to be quick.
    const [{ acquire }, { FileStore }] = await Promise.all([
      import('./owner/owner.ts'),
      import('./store.ts'),
    ]);
    // Requests may come before the store is open: they wait for it.
    let start: (opening: Promise<FileStoreType>) => void = () => undefined;
    const opened = new Promise<FileStoreType>((resolve) => (start = resolve));
    // Whoever opens is told below; without a request nobody else waits for it.
    opened.catch(() => undefined);
    const startedAt = clock.now();
    const answer = async (request: SocketRequest): Promise<Answer> => {
      switch (request.kind) {
        case 'status':
          return how.status === undefined ? null : { pid: process.pid, startedAt, status: how.status() };
        case 'stop':
          how.onStop?.();
          return how.onStop !== undefined;
        case 'edit': {
          const { request: wanted, by, via } = request;
          const edit = await (await opened).edit(wanted, { by, via });
          how.onNotice({ kind: 'edit_taken_in', edit });
          return edit;
        }
        case 'merge': {
          const { table, copy, by, via } = request;
          const merge = await (await opened).mergeCopy(table, copy, { by, via });
          const rows = merge.added + merge.changed + merge.removed;
          if (rows > 0) how.onNotice({ kind: 'copy_taken_in', file: `${table}.csv`, rows });
          return merge;
        }
        default:
          // From an orderctl of another version.
          throw new Failure('invalid_input', `the owner of ${folder} does not know what is asked of it`, {
            fix: 'run the same version of orderctl as the consumer',
          });
      }
    };
    const ownership = await acquire(innerFolder(folder), { purpose: how.purpose }, (request) =>
      answer(request as SocketRequest),
    );
    const opening = FileStore.open({ files, folder, clock, user: user(), ...how, onEnd: ownership });
    start(opening);
    try {
      return await opening;
    } catch (error) {
      await ownership[Symbol.asyncDispose]();
      throw error;
    }
  };

  /** Has the folder's owner do something, or does it as its owner for that moment. */
  const askOrOwn = async <A extends Answer>(
    wanted: SocketRequest,
    how: Omit<OwnOptions, 'purpose'>,
    own: (store: FileStoreType) => Promise<A>,
    beforeOwning: () => void = () => undefined,
  ): Promise<A> => {
    const { ask } = await import('./owner/owner.ts');
    for (const until = clock.now() + RACE_MS; ;) {
      try {
        const answered = await ask(innerFolder(folder), wanted, EDIT_TIMEOUT_MS);
        if (answered !== null) return answered.answer as A;
        beforeOwning();
        await using store = await openOwned({ purpose: EDIT_PURPOSE, ...how });
        return await own(store);
      } catch (error) {
        if (!isFailure(error, 'folder_in_use') || clock.now() >= until) throw error;
        await clock.sleep(RACE_RETRY_MS);
      }
    }
  };

  const tableNow = async (
    table: TableName,
    onNotice?: OwnOptions['onNotice'],
  ): Promise<{ chunks: Buffer[]; editsBytes: number }> => {
    const { FolderReader } = await import('./reader.ts');
    await using reader = await FolderReader.open(files, folder, clock, onNotice);
    return { chunks: [...reader.render(table)], editsBytes: reader.editsBytes };
  };

  return {
    name: folder,
    own: openOwned,

    async edit(request, how): Promise<Edit> {
      const decide = (store: FileStoreType): Promise<Edit> =>
        store.transact({}, (snapshot) => {
          const edit = decideEdit(request, snapshot);
          return { changes: { edits: [edit] }, result: edit };
        });
      const wanted: SocketRequest = { kind: 'edit', request, by: user(), via: how.via };
      return await askOrOwn(wanted, how, decide, () => {
        // A request that nothing there can fulfil makes no folder.
        if (files.stat(innerFolder(folder)) === undefined && !isStorage(files, folder)) {
          decideWithout(files, folder, request);
        }
      });
    },

    async copyTable(table, { kept, onNotice } = {}) {
      const { copyPaths, isUntouched, makeCopy, readCopy, removeCopy } = await import('./edits/table-copy.ts');
      const paths =
        kept === undefined
          ? await makeCopy(files, folder, table, await tableNow(table, onNotice))
          : copyPaths(folder, table, path.basename(path.dirname(path.resolve(kept))));
      return {
        file: paths.file,
        isChanged: () => !isUntouched(files, paths),
        discard: () => removeCopy(folder, paths),
        async merge(how) {
          // A mistake is found here: the owner is not asked for nothing.
          if (table === 'users') readCopy(files, USERS, paths);
          else readCopy(files, INVENTORY, paths);
          const from = { by: user(), via: how.via };
          const wanted: SocketRequest = { kind: 'merge', table, copy: paths.name, ...from };
          return await askOrOwn(wanted, { ...how, besideBroken: true }, (store) =>
            store.mergeCopy(table, paths.name, from),
          );
        },
      };
    },

    async consumerStatus() {
      const { ask } = await import('./owner/owner.ts');
      const wanted: SocketRequest = { kind: 'status' };
      const answered = await ask(innerFolder(folder), wanted, STATUS_TIMEOUT_MS);
      return (answered?.answer ?? null) as RunningConsumer | null;
    },

    async stopConsumer({ kill }) {
      const { stopOwner } = await import('./owner/stop.ts');
      const request: SocketRequest = { kind: 'stop' };
      return stopOwner(innerFolder(folder), request, kill);
    },

    processes,

    async claim(task) {
      const { acquire } = await import('./owner/owner.ts');
      try {
        return await acquire(path.join(innerFolder(folder), task), { purpose: task }, async () => null);
      } catch (error) {
        if (!isFailure(error, 'folder_in_use')) throw error;
        throw new Failure('folder_in_use', `another ${task} is at work: ${error.message}`, {
          fix: 'let it end, or stop it; then run this again',
          cause: error,
        });
      }
    },

    isThere: () => isStorage(files, folder),

    room: () => roomOf(folder),

    recentOrderIds: (prefix, limit) => recentOrderIds(files, folder, prefix, limit),

    keptAside: () => listKeptAside(files, folder),

    async read(how) {
      const { FolderReader } = await import('./reader.ts');
      return FolderReader.open(files, folder, clock, how?.onNotice);
    },

    async inspect() {
      const { FolderInspection } = await import('./inspection.ts');
      return FolderInspection.open(files, folder, clock, () => isOwned(folder));
    },

    async rebuildViews({ onNotice }) {
      await using store = await openOwned({ purpose: 'repair', via: 'command', onNotice });
      await store.rebuildViews();
    },
  };
}

/** @returns the failure where this user may not ask */
async function isOwned(folder: string): Promise<boolean | Failure> {
  const { ask } = await import('./owner/owner.ts');
  const wanted: SocketRequest = { kind: 'status' };
  try {
    return (await ask(innerFolder(folder), wanted, STATUS_TIMEOUT_MS)) !== null;
  } catch (error) {
    // A paused owner is one.
    if (isFailure(error, 'owner_unreachable')) return true;
    // Reading needs no owner.
    if (isFailure(error, 'read_failed')) return error;
    throw error;
  }
}

/** @throws Failure of an edit in a folder where nothing is yet, if it fails there */
function decideWithout(files: FileSystem, folder: string, request: EditRequest): void {
  try {
    decideEdit(request, { user: () => undefined, item: () => undefined });
  } catch (error) {
    throw isFailure(error, 'not_found') ? noStorage(files, folder) : error;
  }
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
