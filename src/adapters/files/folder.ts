import path from 'node:path';
import { decideEdit, type EditOrigin, type EditRequest } from '../../domain/edit.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Item, User } from '../../domain/tables.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Claim, OwnOptions } from '../../ports/owner.ts';
import type { TableCopy } from '../../ports/table-copy.ts';
import type { EditedCopy } from './edits/table-copy.ts';
import { listKeptAside } from './csv/kept-aside.ts';
import { roomOf } from './disk-space.ts';
import { realFileSystem, type FileSystem } from './fs.ts';
import { checkIsFolder } from './is-folder.ts';
import { innerFolder, isStorage, noStorage, refuseDatabase } from './layout.ts';
import { recentOrderIds } from './logs/recent-ids.ts';
import {
  askOrOwn,
  brokenBesideOwner,
  consumerStatus,
  isOwned,
  openOwned,
  userOf,
  type OpenedFolder,
} from './owned.ts';
import { processes } from './owner/processes.ts';
import type { EditFrom } from './logs/edit-line.ts';
import type { Answer, SocketRequest } from './owner/requests.ts';
import type { FileStore } from './store.ts';
import { INVENTORY, USERS, type TableName } from './tables/columns.ts';

/** The store in a folder of files. Opening it changes nothing on disk. */
export function openFolder(options: {
  folder: string;
  clock: Clock;
  files?: FileSystem;
  /** The user named in the log of edits; by default the name that the operating system has. */
  user?: string;
  /** Receives the notices of `read`, unless the call names another listener. */
  onNotice?: ((notice: StoreNotice) => void) | undefined;
}): StoreAccess {
  const folder = path.resolve(options.folder);
  checkIsFolder(folder);
  const { clock, files = realFileSystem, user } = options;
  const opened: OpenedFolder = { folder, files, clock, user };
  return {
    name: folder,
    own: (ownOptions) => openOwned(opened, ownOptions),
    edit: (request, origin) =>
      edit(opened, request, origin, { kind: 'edit', request }, (store, from) => store.edit(request, from)),
    editIf: (request, conditions, origin) =>
      edit(opened, request, origin, { kind: 'edit_if', request, conditions }, (store, from) =>
        store.editIf(request, conditions, from),
      ),
    copyTable: (table, copyOptions = {}) => copyTable(opened, table, copyOptions),
    consumerStatus: () => consumerStatus(folder),
    async stopConsumer({ kill, instance }) {
      if (instance !== undefined && String((await consumerStatus(folder))?.pid) !== instance) return null;
      const { stopOwner } = await import('./owner/stop.ts');
      const request: SocketRequest = { kind: 'stop' };
      return stopOwner(innerFolder(folder), request, kill);
    },
    processes,
    claim: (task) => claim(opened, task),
    async isThere() {
      refuseDatabase(files, folder);
      return isStorage(files, folder);
    },
    room: async () => roomOf(folder),
    recentOrderIds: async (prefix, limit) => recentOrderIds(files, folder, prefix, limit),
    keptAside: () => listKeptAside(files, folder),
    async read(readOptions) {
      const { FolderReader } = await import('./reader.ts');
      return FolderReader.open(files, folder, clock, readOptions?.onNotice ?? options.onNotice);
    },
    async keepView() {
      const { KeptFolder } = await import('./kept/kept-folder.ts');
      return new KeptFolder(files, folder, clock, options.onNotice);
    },
    async backUp(target) {
      const { backUp, NEW_FOLDER } = await import('./journal/backup.ts');
      const backup = path.resolve(target);
      checkIsFolder(backup, NEW_FOLDER);
      return backUp(opened, backup);
    },
    async inspect() {
      const { FolderInspection } = await import('./inspection.ts');
      return FolderInspection.open(files, folder, clock, () => isOwned(folder));
    },
    async rebuildViews({ onNotice }) {
      await using store = await openOwned(opened, { purpose: 'repair', via: 'command', onNotice });
      await store.rebuildViews();
    },
  };
}

/** The request to the owner, without its origin. */
type EditAsked =
  | Pick<Extract<SocketRequest, { kind: 'edit' }>, 'kind' | 'request'>
  | Pick<Extract<SocketRequest, { kind: 'edit_if' }>, 'kind' | 'request' | 'conditions'>;

interface EditOptions extends EditOrigin {
  readonly onNotice: OwnOptions['onNotice'];
}

async function edit<A extends Answer>(
  opened: OpenedFolder,
  request: EditRequest,
  options: EditOptions,
  asked: EditAsked,
  own: (store: FileStore, from: EditFrom) => Promise<A>,
): Promise<A> {
  const { files, folder } = opened;
  const from = fromOf(opened, options);
  const owner = { isOther: true };
  const made = await askOrOwn<A>(
    opened,
    { ...asked, ...from },
    { besideBroken: true, ...options },
    (store) => {
      owner.isOther = false;
      return own(store, from);
    },
    () => {
      // A request that cannot succeed must not create a folder.
      refuseDatabase(files, folder);
      if (files.stat(innerFolder(folder)) === undefined && !isStorage(files, folder)) {
        decideWithout(files, folder, request);
      }
    },
  );
  // Marking dead letters does not depend on the CSVs.
  if (owner.isOther && request.kind !== 'dead_letter.mark') {
    for (const notice of await brokenBesideOwner(folder)) options.onNotice(notice);
  }
  return made;
}

function fromOf(opened: OpenedFolder, { via, why, undoes }: EditOrigin): EditFrom {
  return { by: userOf(opened), via, why, undoes };
}

/** @throws Failure of an edit that would fail in an empty folder */
function decideWithout(files: FileSystem, folder: string, request: EditRequest): void {
  try {
    decideEdit(request, { user: () => undefined, item: () => undefined });
  } catch (error) {
    throw isFailure(error, 'not_found') ? noStorage(files, folder) : error;
  }
}

async function copyTable(
  opened: OpenedFolder,
  table: TableName,
  { kept, create, onNotice }: NonNullable<Parameters<StoreAccess['copyTable']>[1]>,
): Promise<TableCopy> {
  const { files, folder, clock } = opened;
  const [{ copyPaths, emptyCsv, isUntouched, makeCopy, readCopy, removeCopy, writeCopy }, { FolderReader }] =
    await Promise.all([import('./edits/table-copy.ts'), import('./reader.ts')]);
  const tableNow = async (): Promise<{ chunks: Buffer[]; editsBytes: number }> => {
    if (create === true) refuseDatabase(files, folder);
    if (create === true && !isStorage(files, folder)) return { chunks: [emptyCsv(table)], editsBytes: 0 };
    await using reader = await FolderReader.open(files, folder, clock, onNotice);
    return { chunks: [...reader.render(table)], editsBytes: reader.editsBytes };
  };
  const paths =
    kept === undefined
      ? await makeCopy(files, folder, table, await tableNow())
      : copyPaths(folder, table, path.basename(path.dirname(path.resolve(kept))));
  const edited = (isTyped = false): EditedCopy<User> | EditedCopy<Item> =>
    table === 'users' ? readCopy(files, USERS, paths) : readCopy(files, INVENTORY, paths, isTyped);
  return {
    file: paths.file,
    read: () => {
      const { columns, rows } = edited().found;
      return { columns, rows: [...rows.values()] };
    },
    removed: () => {
      const { base, found } = edited();
      const names = [...base.rows.keys()];
      const rows = names.filter((name) => !found.rows.has(name)).length;
      return { rows, of: base.rows.size };
    },
    write: (written) => writeCopy(files, table, paths, written),
    isChanged: () => !isUntouched(files, paths),
    discard: () => removeCopy(folder, paths),
    async merge(options) {
      // Mistakes are found here, so that the owner is not asked in vain.
      edited(options.via === 'command');
      const from = { ...fromOf(opened, options), unlessEdited: options.unlessEdited };
      const wanted: SocketRequest = { kind: 'merge', table, copy: paths.name, ...from };
      return await askOrOwn(opened, wanted, { ...options, besideBroken: true }, (store) =>
        store.mergeCopy(table, paths.name, from),
      );
    },
  };
}

async function claim({ files, folder }: OpenedFolder, task: string): Promise<Claim> {
  refuseDatabase(files, folder);
  const { acquire } = await import('./owner/owner.ts');
  try {
    const held = await acquire(path.join(innerFolder(folder), task), { purpose: task }, async () => null);
    // The claim lasts as long as this process.
    return { check: async () => undefined, [Symbol.asyncDispose]: () => held[Symbol.asyncDispose]() };
  } catch (error) {
    if (!isFailure(error, 'folder_in_use')) throw error;
    throw new Failure('folder_in_use', `another ${task} is running: ${error.message}`, {
      fix: 'wait until it ends, or stop it; then run this again',
      cause: error,
    });
  }
}
