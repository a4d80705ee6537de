import path from 'node:path';
import { Failure } from '../../domain/failure.ts';
import type { FileSystem } from './fs.ts';

/* Where everything in a folder is. DESIGN.md describes what each file contains. */

/** The directory of everything that users do not edit. */
export function innerFolder(folder: string): string {
  return path.join(folder, '.orderctl');
}

export const STATE_FILE = 'state.json';

/** @param inner the `.orderctl` folder */
export function journalPath(inner: string, number: number): string {
  return path.join(inner, `journal.${number}`);
}

const STORE_FILE =
  /^(?:state\.json|edits\.jsonl|(?:tables|journal|outbox|ids|(?:users|inventory)\.versions)\.\d+)$/;

/** Whether a file in `.orderctl` is the checkpoint, or one that checkpoints name. */
export function isStoreFile(name: string): boolean {
  return STORE_FILE.test(name);
}

/** The logs that every folder has; `users` and `inventory` are the logs of the versions of those CSVs. */
export const FIRST_LOGS = ['orders', 'rejections', 'edits', 'users', 'inventory'] as const;
/** A log of facts, by its name. */
export type FactLogName = `facts:${string}`;
/** A segment of the outbox, by its number. */
export type SegmentLogName = `outbox:${number}`;
/** `movements`, the logs of facts and segments are created with their first line. */
export type LogName = (typeof FIRST_LOGS)[number] | 'movements' | FactLogName | SegmentLogName;

/** The files of the logs in a fresh folder; logs of versions get other names when they are shortened. */
const LOG_FILES: Readonly<Record<Exclude<LogName, FactLogName | SegmentLogName>, string>> = {
  orders: 'orders.jsonl',
  rejections: 'rejections.jsonl',
  edits: '.orderctl/edits.jsonl',
  users: '.orderctl/users.versions.1',
  inventory: '.orderctl/inventory.versions.1',
  movements: 'movements.jsonl',
};

/** The file of a log, relative to the folder. */
export function fileOfLog(log: LogName): string {
  if (isFactLog(log)) return `${log.slice(FACTS.length)}.jsonl`;
  return isSegment(log) ? `.orderctl/outbox.${log.slice(OUTBOX.length)}` : LOG_FILES[log];
}

const OUTBOX = 'outbox:';

export function segmentLog(number: number): SegmentLogName {
  return `outbox:${number}`;
}

/** The number of the segment that a file in `.orderctl` holds; NaN: it is not a segment. */
export function segmentNumber(file: string): number {
  return Number(/^outbox\.(\d+)$/.exec(file)?.[1] ?? NaN);
}

function isSegment(log: LogName): log is SegmentLogName {
  return log.startsWith(OUTBOX);
}

const FACTS = 'facts:';
/** Names of other logs. */
const TAKEN_NAMES = new Set(['orders', 'rejections', 'movements']);

function isFactLog(log: LogName): log is FactLogName {
  return log.startsWith(FACTS);
}

const FACT_NAME = /^[a-z][a-z0-9_-]{0,63}$/;

/** Whether a file may be a log of facts, by its name. */
export function isFactFile(file: string): boolean {
  const name = file.replace(/\.jsonl$/, '');
  return name !== file && FACT_NAME.test(name) && !TAKEN_NAMES.has(name);
}

/** @throws Error when a log of facts cannot have that name: a bug in its declaration */
export function factLogName(name: string): FactLogName {
  if (FACT_NAME.test(name) && !TAKEN_NAMES.has(name)) return `facts:${name}`;
  throw new Error(`a log of facts cannot be named ${name}`);
}
export const LOG_OF: Readonly<Record<'accepted' | 'rejected', LogName>> = {
  accepted: 'orders',
  rejected: 'rejections',
};

export const DECISION_LOGS = ['orders.jsonl', 'rejections.jsonl'];

/** Whether a folder is a storage folder, or a user has started to create one. */
export function isStorage(files: FileSystem, folder: string): boolean {
  const names = [path.join('.orderctl', STATE_FILE), 'users.csv', 'inventory.csv', ...DECISION_LOGS];
  return names.some((name) => files.stat(path.join(folder, name)) !== undefined);
}

/** Where `up --split` keeps the PostgreSQL of a shop that does not store in files. */
const DATABASE = path.join('postgres', 'data');

/** Whether the shop in the folder is on PostgreSQL. */
function isInDatabase(files: FileSystem, folder: string): boolean {
  return files.stat(path.join(folder, DATABASE)) !== undefined && !isStorage(files, folder);
}

function inDatabase(code: 'not_found' | 'already_exists', folder: string): Failure {
  return new Failure(code, `the shop in ${folder} is on PostgreSQL`, {
    fix: { kind: 'in_database', folder },
    context: { file: folder },
  });
}

/** Call this before a folder is created. @throws Failure already_exists: the shop in it is on PostgreSQL */
export function refuseDatabase(files: FileSystem, folder: string): void {
  if (isInDatabase(files, folder)) throw inDatabase('already_exists', folder);
}

/** The failure for a folder that is not a storage folder. */
export function noStorage(files: FileSystem, folder: string): Failure {
  if (isInDatabase(files, folder)) return inDatabase('not_found', folder);
  const exists = files.stat(folder) !== undefined;
  const what = exists
    ? `${folder} is not a storage folder: it has neither users.csv nor inventory.csv`
    : `there is no folder ${folder}`;
  return new Failure('not_found', what, { fix: { kind: 'begin_storage' }, context: { file: folder } });
}
