import { userInfo } from 'node:os';
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { ConsumerStatus, OwnOptions, RunningConsumer } from '../../ports/owner.ts';
import { timingSyncs, type FileSystem } from './fs.ts';
import { innerFolder, refuseDatabase } from './layout.ts';
import type { Answer, SocketRequest } from './owner/requests.ts';
import { EDIT_PURPOSE } from './owner/wire.ts';
import type { FileStore } from './store.ts';
import { finishReplacement } from './whole/replace.ts';
import { refuseSealed } from './whole/seal.ts';

/* Owns a folder, or asks its owner. Only owners load what only owners need, so that readers start fast. */

/** How long an owner may take for an edit: its current batch comes first. */
const EDIT_TIMEOUT_MS = 10_000;
/** How long to retry when an owner starts or stops between asking it and owning the folder. */
const RACE_MS = 2_000;
const RACE_RETRY_MS = 50;
/** On a busy machine that time may pass at once; the next try asks the owner that started in between. */
const LEAST_REFUSALS = 4;
/** How long an owner may take to report its status, which requires no waiting. */
const STATUS_TIMEOUT_MS = 5_000;

/** A folder, as a process uses it. */
export interface OpenedFolder {
  readonly folder: string;
  readonly files: FileSystem;
  readonly clock: Clock;
  /** The user named in the log of edits; by default the name that the operating system has. */
  readonly user: string | undefined;
}

export function userOf({ user }: OpenedFolder): string {
  if (user !== undefined) return user;
  try {
    return userInfo().username;
  } catch {
    // A container may run under an id that has no name.
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}

/** Owns the folder until the store is disposed. @throws Failure as StoreAccess.own does */
export async function openOwned(opened: OpenedFolder, options: OwnOptions): Promise<FileStore> {
  const { folder, clock } = opened;
  const files = options.onSynced === undefined ? opened.files : timingSyncs(opened.files, options.onSynced);
  refuseDatabase(files, folder);
  refuseSealed(files, folder);
  const [{ acquire }, { answering }, { FileStore: Store }] = await Promise.all([
    import('./owner/owner.ts'),
    import('./owner/requests.ts'),
    import('./store.ts'),
  ]);
  const { promise, resolve } = pending<FileStore>();
  const answer = answering(folder, options, promise, clock.now());
  const ownership = await acquire(innerFolder(folder), { purpose: options.purpose }, answer);
  const opening = finishReplacement(files, folder).then(() =>
    Store.open({ files, folder, clock, user: userOf(opened), ...options, onEnd: ownership }),
  );
  resolve(opening);
  try {
    return await opening;
  } catch (error) {
    await ownership[Symbol.asyncDispose]();
    throw error;
  }
}

/** Owns a copied folder for a moment, so that hand edits are applied and its CSVs exist. */
export async function settleCopied(opened: Omit<OpenedFolder, 'user'>): Promise<void> {
  const options = { purpose: 'store copy', via: 'command', onNotice: () => undefined } as const;
  await (await openOwned({ ...opened, user: undefined }, options))[Symbol.asyncDispose]();
}

/**
 * A promise of the store, for requests that arrive before it is open. It may be rejected while no caller waits for it.
 */
function pending<T>(): { promise: Promise<T>; resolve: (value: Promise<T>) => void } {
  let resolve: (value: Promise<T>) => void = () => undefined;
  const promise = new Promise<T>((done) => (resolve = done));
  promise.catch(() => undefined);
  return { promise, resolve };
}

/** Asks the owner of the folder to do something, or does it as its owner for that moment. */
export async function askOrOwn<A extends Answer>(
  opened: OpenedFolder,
  wanted: SocketRequest,
  options: Omit<OwnOptions, 'purpose'>,
  own: (store: FileStore) => Promise<A>,
  beforeOwning: () => void = () => undefined,
): Promise<A> {
  const { folder, clock } = opened;
  const { ask } = await import('./owner/owner.ts');
  let until: number | null = null;
  for (let refusals = 1; ; refusals++) {
    try {
      const answered = await ask(innerFolder(folder), wanted, EDIT_TIMEOUT_MS);
      if (answered !== null) return answered.answer as A;
      beforeOwning();
      await using store = await openOwned(opened, { purpose: EDIT_PURPOSE, ...options });
      return await own(store);
    } catch (error) {
      if (!isFailure(error, 'folder_in_use')) throw error;
      // From the first refusal on: earlier requests may have taken long to answer.
      until ??= clock.elapsed() + RACE_MS;
      if (clock.elapsed() >= until && refusals >= LEAST_REFUSALS) throw error;
      await clock.sleep(RACE_RETRY_MS);
    }
  }
}

/** @returns null when no process owns the folder, or its owner is not a consumer */
export async function consumerStatus(folder: string): Promise<RunningConsumer | null> {
  const answered = await askStatus(folder);
  return (answered?.answer ?? null) as RunningConsumer | null;
}

/** The files that the consumer cannot apply, if it answers: for notices after something else was done. */
export async function brokenBesideOwner(folder: string): Promise<readonly StoreNotice[]> {
  try {
    const { brokenFiles = [] } = ((await consumerStatus(folder))?.status ?? {}) as Partial<ConsumerStatus>;
    return brokenFiles.map(({ fix = null, ...file }) => ({ kind: 'file_broken', ...file, fix }));
  } catch (error) {
    if (!isFailure(error)) throw error;
    return [];
  }
}

/** @returns a failure when this user may not ask the owner */
export async function isOwned(folder: string): Promise<boolean | Failure> {
  try {
    return (await askStatus(folder)) !== null;
  } catch (error) {
    // A paused owner still owns the folder.
    if (isFailure(error, 'owner_unreachable')) return true;
    // Reading needs no owner.
    if (isFailure(error, 'read_failed')) return error;
    throw error;
  }
}

async function askStatus(folder: string): Promise<{ answer: unknown } | null> {
  const { ask } = await import('./owner/owner.ts');
  const wanted: SocketRequest = { kind: 'status' };
  return ask(innerFolder(folder), wanted, STATUS_TIMEOUT_MS);
}
