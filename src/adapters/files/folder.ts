import { userInfo } from 'node:os';
import path from 'node:path';
import { decideEdit, type Edit, type EditRequest, type EditVia } from '../../domain/edit.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { OwnOptions, Store, StoreAccess } from '../../ports/store.ts';
import type { FileStore as FileStoreType } from './file-store.ts';
import { realFileSystem, type FileSystem } from './fs.ts';
import { innerFolder } from './recover.ts';

/** How long an owner may take for an edit: its batch in hand comes first. */
const EDIT_TIMEOUT_MS = 10_000;
/** For how long to go on when the owner comes and goes between asking it and owning the folder. */
const RACE_MS = 2_000;
const RACE_RETRY_MS = 50;

interface SocketEdit {
  readonly kind: 'edit';
  readonly request: EditRequest;
  readonly by: string;
  readonly via: EditVia;
}

/** The store in a folder of files. Opening touches nothing. */
export function openFolder(options: {
  folder: string;
  clock: Clock;
  files?: FileSystem;
  /** Who edits, for the log of edits; the operating system's name of the user unless given. */
  user?: string;
}): StoreAccess {
  const folder = path.resolve(options.folder);
  const { clock, files = realFileSystem } = options;
  const user = (): string => options.user ?? userName();

  const own = async (how: OwnOptions): Promise<Store> => {
    // What only owners need is loaded by owners: readers are to be quick.
    const [{ acquire }, { FileStore }] = await Promise.all([import('./owner.ts'), import('./file-store.ts')]);
    // Requests may come before the store is open: they wait for it.
    let start: (opening: Promise<FileStoreType>) => void = () => undefined;
    const opened = new Promise<FileStoreType>((resolve) => (start = resolve));
    // Whoever opens is told below; without a request nobody else waits for it.
    opened.catch(() => undefined);
    const ownership = await acquire(innerFolder(folder), { purpose: how.purpose }, async (request) => {
      const { request: wanted, by, via } = request as SocketEdit;
      const store = await opened;
      const edit = await store.edit(wanted, { by, via });
      how.onNotice({ kind: 'edit_taken_in', edit });
      return edit;
    });
    const opening = FileStore.open({ files, folder, clock, user: user(), ...how, onEnd: ownership });
    start(opening);
    try {
      return await opening;
    } catch (error) {
      await ownership[Symbol.asyncDispose]();
      throw error;
    }
  };

  return {
    folder,
    own,

    async edit(request, how): Promise<Edit> {
      const { ask } = await import('./owner.ts');
      const wanted: SocketEdit = { kind: 'edit', request, by: user(), via: how.via };
      for (const until = clock.now() + RACE_MS; ;) {
        try {
          const answered = await ask(innerFolder(folder), wanted, EDIT_TIMEOUT_MS);
          if (answered !== null) return answered.answer as Edit;
          await using store = await own({ purpose: 'edit', ...how });
          return await store.transact({}, (snapshot) => {
            const edit = decideEdit(request, snapshot);
            return { changes: { edits: [edit] }, result: edit };
          });
        } catch (error) {
          if (!isFailure(error, 'folder_in_use') || clock.now() >= until) throw error;
          await clock.sleep(RACE_RETRY_MS);
        }
      }
    },

    async claim(task) {
      const { acquire } = await import('./owner.ts');
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

    async read() {
      const { FolderReader } = await import('./reader.ts');
      return FolderReader.open(files, folder, clock);
    },
  };
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
