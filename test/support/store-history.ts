import path from 'node:path';
import { FileStore } from '../../src/adapters/files/store.ts';
import type { Decided } from '../../src/domain/orders/decided.ts';
import { decideAll } from '../../src/processors/orders/decide.ts';
import type { Received } from '../../src/processors/processor.ts';
import { decideEdit, type EditRequest, type LoggedEdit } from '../../src/domain/edit.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import type { Item, User } from '../../src/domain/tables.ts';
import type { Headers } from '../../src/ports/record.ts';
import { newEffect, type Effect } from '../../src/domain/effects.ts';
import { newFact, type FactLog, type SmallTable } from '../../src/domain/facts.ts';
import type { StoreNotice } from '../../src/ports/notices.ts';
import type { Changes, Outgoing, StoreReader } from '../../src/ports/store.ts';
import { ManualClock } from '../simulate/manual-clock.ts';
import { Crash, type FaultyFs } from './faulty-fs.ts';
import { randomFrom } from './random.ts';

/*
 * Random histories of a store, and the simplest account of their expected results. An operation is acknowledged when
 * its promise resolves: from then on it must be found, whatever happens.
 */

/** Of orders: one that is sampled, one that is not, and none. */
const TRACES = ['01', '00'].map((flags) => `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-${flags}`);

export const FOLDER = '/shop/storage';
const TOPIC = 'orders';
const PARTITION = { topic: TOPIC, partition: 0 };
const SOURCE = { processor: 'orders', ...PARTITION } as const;

const OTHER = { processor: 'payment', ...PARTITION } as const;

type CsvName = 'users.csv' | 'inventory.csv';

export type Operation =
  | { readonly kind: 'batch'; readonly count: number }
  | { readonly kind: 'rewind'; readonly to: number }
  | { readonly kind: 'edit'; readonly request: EditRequest }
  /** A user adds rows to a CSV. */
  | { readonly kind: 'add_rows'; readonly file: CsvName; readonly names: readonly string[] }
  /** A user deletes rows that users have added. */
  | { readonly kind: 'remove_rows'; readonly file: CsvName; readonly count: number }
  /** A user deletes all rows but the first, which is ignored. */
  | { readonly kind: 'remove_most'; readonly file: CsvName }
  /** A user adds to a quantity, in a file that is up to date. */
  | { readonly kind: 'restock'; readonly by: number }
  /** A commit of another processor: a fact, a row of a small table, an effect, a movement, a message. */
  | { readonly kind: 'parts' }
  | { readonly kind: 'drain'; readonly refuse: boolean }
  /** A second passes: CSVs are written. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'restart' };

/** Whether a user saves a file in it: the save is there or not, whatever state the store is in. */
export function isByHand({ kind }: Operation): boolean {
  return kind === 'add_rows' || kind === 'remove_rows' || kind === 'remove_most' || kind === 'restock';
}

/**
 * Whether a user's save in an operation may have several possible base versions: only if the sum that they entered
 * could also have been computed from another version that they have read or saved before.
 */
export function mayBeAmbiguous({ operations }: History, index: number): boolean {
  const isOfInventory = (one: Operation): boolean => 'file' in one && one.file === 'inventory.csv';
  return (
    operations[index]?.kind === 'restock' &&
    operations.slice(0, index).some((one) => one.kind === 'restock' || isOfInventory(one))
  );
}

/** The expected content, in a form that compares as text. */
export interface Truth {
  users: Record<string, string>;
  items: Record<string, number>;
  accepted: string[];
  rejected: string[];
  next: number;
  edits: string[];
  /** Number of commits of the other processor: its other data follow from it. */
  parts: number;
  unsent: string[];
  undelivered: string[];
  /** The texts of saves that were set aside, next to the file, because they may have several base versions. */
  ambiguous: string[];
}

export interface History {
  readonly seed: number;
  readonly operations: readonly Operation[];
  /** By offset: an order, or null for a record that cannot be one. */
  readonly topic: readonly (Order | null)[];
}

const ITEMS = ['book', 'pen', 'notebook'];
const USERS = ['alice', 'bob', 'carol'];

/** @param length number of operations after those that fill the tables */
export function makeHistory(seed: number, length: number): History {
  const next = randomFrom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(next() * list.length)] as T;
  const topic = Array.from({ length: 60 }, (): Order | null => {
    if (next() < 0.1) return null;
    // Few ids, so that many records are duplicates; the content follows from the id.
    const id = Math.floor(next() * 40);
    const of = randomFrom(id + 1);
    const items = Array.from({ length: 1 + Math.floor(of() * 2) }, () => ({
      item: ITEMS[Math.floor(of() * ITEMS.length)] ?? 'book',
      quantity: 1 + Math.floor(of() * 3),
      unitPrice: of() < 0.3 ? '12.50' : null,
    }));
    const user = USERS[Math.floor(of() * 4)] ?? 'nobody';
    return { orderId: `ORD-${id}`, user, items, createdAt: 1_700_000_000_000 + id };
  });
  const operations: Operation[] = [
    { kind: 'edit', request: { kind: 'user.add', user: 'alice', status: 'paid' } },
    { kind: 'edit', request: { kind: 'user.add', user: 'bob', status: 'unpaid' } },
    { kind: 'edit', request: { kind: 'item.add', item: 'book', quantity: 20 } },
    { kind: 'edit', request: { kind: 'item.add', item: 'pen', quantity: 9, price: '1.20' } },
  ];
  for (let index = 0; index < length; index++) {
    const choice = next();
    if (choice < 0.35) operations.push({ kind: 'batch', count: 1 + Math.floor(next() * 8) });
    else if (choice < 0.42) operations.push({ kind: 'rewind', to: Math.floor(next() * 5) });
    else if (choice < 0.45) {
      const letters = Array.from({ length: 1 + Math.floor(next() * 3) }, (_, i) => {
        return { id: `0:${index + i}`, key: `orders/0@${index + i}` };
      });
      const mark = { kind: 'dead_letter.mark', topic: 'orders.dlq', action: 'redriven', why: 'r' } as const;
      operations.push({ kind: 'edit', request: { ...mark, letters } });
    } else if (choice < 0.55) {
      operations.push({ kind: 'edit', request: { kind: 'item.update', item: pick(['book', 'pen']), by: 4 } });
    } else if (choice < 0.65) {
      const file = pick(['users.csv', 'inventory.csv'] as const);
      const count = 1 + Math.floor(next() * 3);
      const names = Array.from({ length: count }, (_, at) => `hand${index}.${at}`);
      const what = next();
      if (what < 0.55) operations.push({ kind: 'add_rows', file, names });
      else if (what < 0.9) operations.push({ kind: 'remove_rows', file, count });
      else operations.push({ kind: 'remove_most', file });
    } else if (choice < 0.73) operations.push({ kind: 'tick' }, { kind: 'restock', by: 3 });
    else if (choice < 0.83) operations.push({ kind: 'drain', refuse: next() < 0.3 });
    else if (choice < 0.91) operations.push({ kind: 'tick' });
    else if (choice < 0.96) operations.push(...Array.from({ length: 3 }, () => ({ kind: 'parts' }) as const));
    else operations.push({ kind: 'restart' });
  }
  return { seed, operations, topic };
}

export function emptyTruth(): Truth {
  return {
    users: {},
    items: {},
    accepted: [],
    rejected: [],
    next: 0,
    edits: [],
    parts: 0,
    unsent: [],
    undelivered: [],
    ambiguous: [],
  };
}

/** The truth after an operation. @param done false if the user found nothing to edit */
export function after(truth: Truth, operation: Operation, history: History, done = true): Truth {
  const next = structuredClone(truth);
  switch (operation.kind) {
    case 'batch':
      for (const [offset, order] of history.topic.slice(next.next, next.next + operation.count).entries()) {
        if (order === null) next.unsent.push(`orders/0@${truth.next + offset}`);
        else decidePlainly(next, order);
      }
      next.next = Math.min(history.topic.length, next.next + operation.count);
      break;
    case 'rewind':
      next.edits.push(`position ${next.next} → ${operation.to}`);
      next.next = operation.to;
      break;
    case 'edit': {
      const { request } = operation;
      if (request.kind === 'user.add') setUser(next, request.user, request.status);
      else if (request.kind === 'item.add') setItem(next, request.item, request.quantity);
      else if (request.kind === 'item.update') {
        setItem(next, request.item, (next.items[request.item] ?? 0) + (request.by ?? 0));
      } else if (request.kind === 'dead_letter.mark') {
        next.edits.push(`${request.letters.length} dead letters of ${request.topic} ${request.action}`);
      }
      break;
    }
    case 'add_rows':
      if (!done) break;
      for (const name of operation.names) {
        if (operation.file === 'users.csv') setUser(next, name, 'paid');
        else setItem(next, name, 5);
      }
      break;
    case 'remove_rows':
      if (done) removeRows(next, operation.file, operation.count);
      break;
    case 'remove_most':
      break;
    case 'restock':
      if (done) setItem(next, 'book', (next.items.book ?? 0) + operation.by);
      break;
    case 'drain':
      if (operation.refuse) next.undelivered.push(...next.unsent.slice(0, 1));
      next.unsent = [];
      break;
    case 'parts':
      next.parts += 1;
      next.items.book = (next.items.book ?? 0) + 1;
      break;
    case 'tick':
    case 'restart':
      break;
  }
  return next;
}

/** The last of the rows that users have added. */
function removedOf(names: readonly string[], count: number): readonly string[] {
  // A file without more than half of a table's rows is never applied.
  const most = Math.min(count, Math.floor(names.length / 2));
  return most === 0 ? [] : names.filter((name) => name.startsWith('hand')).slice(-most);
}

function removeRows(truth: Truth, file: CsvName, count: number): void {
  const rows: Record<string, string | number> = file === 'users.csv' ? truth.users : truth.items;
  for (const name of removedOf(Object.keys(rows), count)) {
    truth.edits.push(`${name} ${rows[name] ?? 'null'} → null`);
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- it is plain data
    delete rows[name];
  }
}

function setUser(truth: Truth, user: string, status: string): void {
  truth.edits.push(`${user} ${truth.users[user] ?? 'null'} → ${status}`);
  truth.users[user] = status;
}

function setItem(truth: Truth, item: string, quantity: number): void {
  truth.edits.push(`${item} ${truth.items[item] ?? 'null'} → ${quantity}`);
  truth.items[item] = quantity;
}

function decidePlainly(truth: Truth, order: Order): void {
  const said = (line: string): boolean => line.startsWith(`${order.orderId} `);
  if (truth.accepted.some(said) || truth.rejected.some(said)) return;
  const wanted = new Map<string, number>();
  for (const { item, quantity } of order.items) wanted.set(item, (wanted.get(item) ?? 0) + quantity);
  const stock = order.items.map(({ item }) => truth.items[item]);
  const short = [...wanted].some(([item, quantity]) => quantity > (truth.items[item] ?? 0));
  const refusal =
    truth.users[order.user] === undefined
      ? 'unknown_user'
      : truth.users[order.user] !== 'paid'
        ? 'user_not_paid'
        : stock.includes(undefined)
          ? 'unknown_item'
          : short
            ? 'insufficient_stock'
            : null;
  if (refusal !== null) {
    truth.rejected.push(`${order.orderId} ${refusal}`);
    return;
  }
  for (const [item, quantity] of wanted) truth.items[item] = (truth.items[item] ?? 0) - quantity;
  truth.accepted.push(`${order.orderId} ${order.user} ${stock.join('+')}`);
}

const STEPS: FactLog<{ id: string; step: number }> = { name: 'steps', key: 'id' };
const COUNTS: SmallTable<number> = { name: 'counts' };
const KEYS = 3;
const EFFECTS = 4;

/** The content of the commit with that number. */
function partsChanges(number: number): Changes {
  const id = `e${number % EFFECTS}`;
  // Pending, done, pending again.
  const isOwed = Math.floor(number / EFFECTS) % 2 === 0;
  const effect = newEffect({ id, kind: 'mail', key: id, fields: { number } }, number);
  return {
    positions: [{ ...OTHER, next: number + 1, last: null, clusterId: 'cluster' }],
    facts: [newFact(STEPS, { id: `k${number % KEYS}`, step: number })],
    small: [{ table: COUNTS, key: 'all', value: number + 1 }],
    effects: [isOwed ? effect : { id, effect: null }],
    movements: [{ item: 'book', delta: 1, cause: 'restock', orderId: null, eventId: `n${number}` }],
    outgoing: [
      {
        kind: 'message',
        id: `m/${number}`,
        type: 'alerts',
        key: 'book',
        fields: { number },
        at: 1,
        traceparent: null,
      },
    ],
  };
}

/** The number of those commits; each must be complete. */
async function partsOf(reader: StoreReader): Promise<number> {
  const count = (await reader.positions()).find(({ processor }) => processor === 'payment')?.next ?? 0;
  const steps: number[][] = [];
  for (let key = 0; key < KEYS; key++) {
    steps.push((await reader.facts(STEPS, `k${key}`)).map(({ step }) => step));
  }
  const owed = new Map<string, Effect>();
  const wanted: number[][] = Array.from({ length: KEYS }, () => []);
  for (let number = 0; number < count; number++) {
    wanted[number % KEYS]?.push(number);
    for (const { id, effect } of partsChanges(number).effects ?? []) {
      if (effect === null) owed.delete(id);
      else owed.set(id, effect);
    }
  }
  const byId = (effects: Iterable<Effect>): Effect[] => [...effects].sort((a, b) => (a.id < b.id ? -1 : 1));
  const moved = (await collect(reader.movements())).map(({ eventId }) => eventId);
  const found = [steps, (await reader.small(COUNTS)).get('all') ?? 0, byId(await reader.effects()), moved];
  const events = Array.from({ length: count }, (_, number) => `n${number}`);
  const expected = [wanted, count, byId(owed.values()), events];
  if (JSON.stringify(found) !== JSON.stringify(expected)) {
    throw new Error(
      `after ${count} commits of parts: ${JSON.stringify(found)}, not ${JSON.stringify(expected)}`,
    );
  }
  return count;
}

/** What a store or reader returns, in the form of Truth; the caller adds `unsent` and what is in separate files. */
export async function observe(
  reader: StoreReader,
): Promise<Omit<Truth, 'unsent' | 'undelivered' | 'ambiguous'>> {
  const users = Object.fromEntries(Array.from(await reader.users(), (row: User) => [row.user, row.status]));
  const items = Object.fromEntries(Array.from(await reader.items(), (row: Item) => [row.item, row.quantity]));
  const accepted = (await collect(reader.decisions('accepted'))).map(accept);
  const rejected = (await collect(reader.decisions('rejected'))).map(reject);
  for (const line of [...accepted, ...rejected]) {
    const id = line.slice(0, line.indexOf(' '));
    if ((await reader.decided(id))?.order.orderId !== id)
      throw new Error(`${id} is in a log but not in the index`);
  }
  const edits = (await collect(reader.edits())).map(say);
  const positions = await reader.positions();
  const next = positions.find(({ processor }) => processor === 'orders')?.next ?? 0;
  return { users, items, accepted, rejected, next, edits, parts: await partsOf(reader) };
}

export async function collect<T>(chunks: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const chunk of chunks) all.push(...chunk);
  return all;
}

function accept(decided: Decided): string {
  return `${decided.order.orderId} ${decided.order.user} ${decided.outcome.stock.join('+')}`;
}

function reject(decided: Decided): string {
  return `${decided.order.orderId} ${decided.outcome.kind === 'rejected' ? decided.outcome.reason : '?'}`;
}

function say(edit: LoggedEdit): string {
  switch (edit.kind) {
    case 'user':
      return `${edit.user} ${edit.before?.status ?? 'null'} → ${edit.after?.status ?? 'null'}`;
    case 'item':
      return `${edit.item} ${edit.before?.quantity ?? 'null'} → ${edit.after?.quantity ?? 'null'}`;
    case 'position':
      return `position ${edit.before ?? 0} → ${edit.after}`;
    case 'dead_letter':
      return `${edit.letters.length} dead letters of ${edit.topic} ${edit.action}`;
  }
}

/** One run of a history on one file system. */
export class Runner {
  readonly notices: StoreNotice[] = [];
  readonly clock = new ManualClock();
  readonly history: History;
  readonly files: FaultyFs;
  store: FileStore | undefined;
  /** The user's edit in the current operation, once it has reached the disk. */
  saved: string | null = null;

  constructor(history: History, files: FaultyFs) {
    this.history = history;
    this.files = files;
  }

  async open(): Promise<FileStore> {
    // A closed store is none, should opening fail.
    this.store = undefined;
    this.store = await FileStore.open({
      files: this.files,
      folder: FOLDER,
      clock: this.clock,
      user: 'tester',
      via: 'consume',
      onNotice: (notice) => this.notices.push(notice),
      // Small enough for several checkpoints in a short history.
      checkpointBytes: 3_000,
    });
    return this.store;
  }

  /** @returns false when the operation found nothing to do */
  async perform(operation: Operation): Promise<boolean> {
    this.saved = null;
    const store = this.store ?? (await this.open());
    switch (operation.kind) {
      case 'batch':
        await this.#batch(store, operation.count);
        return true;
      case 'rewind':
        await store.transact({ positions: [SOURCE] }, (snapshot) => {
          const before = snapshot.position(SOURCE)?.next ?? null;
          const position = { ...SOURCE, next: operation.to, last: null, clusterId: null };
          const edit = {
            kind: 'position',
            ...SOURCE,
            before,
            after: operation.to,
            cause: 'reset',
          } as const;
          return { changes: { edits: [edit], positions: [position] }, result: null };
        });
        return true;
      case 'edit':
        if (operation.request.kind.endsWith('add')) {
          await store.transact({}, (snapshot) => {
            return { changes: { edits: [decideEdit(operation.request, snapshot)] }, result: null };
          });
        } else await store.edit(operation.request, { by: 'another', via: 'command' });
        return true;
      case 'add_rows':
        return this.#editFile(store, operation.file, (text) => {
          const value = `${operation.file === 'users.csv' ? 'paid' : '5'}${this.#blanks(text)}`;
          return `${text}${operation.names.map((name) => `${name},${value}\n`).join('')}`;
        });
      case 'remove_rows':
        return this.#editFile(store, operation.file, (text) => {
          const [header = '', ...rows] = text.split('\n').slice(0, -1);
          const removed = removedOf(
            rows.map((row) => row.split(',')[0] ?? ''),
            operation.count,
          );
          const kept = rows.filter((row) => !removed.includes(row.split(',')[0] ?? ''));
          return `${[header, ...kept].join('\n')}\n`;
        });
      case 'remove_most':
        return this.#editFile(store, operation.file, (text) => {
          const lines = text.split('\n').slice(0, -1);
          return lines.length <= 3 ? text : `${lines.slice(0, 2).join('\n')}\n`;
        });
      case 'restock':
        return this.#restock(store, operation.by);
      case 'parts':
        await store.transact({ positions: [OTHER] }, (snapshot) => ({
          changes: partsChanges(snapshot.position(OTHER)?.next ?? 0),
          result: null,
        }));
        return true;
      case 'drain':
        await store.drain('orders.dlq', async (unsent) => {
          const records = unsent.flatMap((one) => (one.kind === 'record' ? [one] : []));
          return operation.refuse ? records.slice(0, 1) : [];
        });
        return true;
      case 'tick':
        await this.clock.tick();
        return true;
      case 'restart':
        await store[Symbol.asyncDispose]();
        await this.open();
        return true;
    }
  }

  async #batch(store: FileStore, count: number): Promise<void> {
    await store.transact({}, (snapshot) => {
      const from = snapshot.position(SOURCE)?.next ?? 0;
      const records = this.history.topic.slice(from, from + count);
      const orders: Received<Order>[] = [];
      const outgoing: Outgoing[] = [];
      for (const [index, order] of records.entries()) {
        const record = { ...PARTITION, offset: from + index };
        if (order !== null)
          orders.push({ message: order, record, source: 'orders', traceparent: TRACES[index % 3] ?? null });
        else {
          const id = `orders/0@${record.offset}`;
          const headers: Headers = [
            ['x-error-code', 'undecodable'],
            ['bytes', Buffer.from([0, 255])],
            ['bytes', null],
          ];
          outgoing.push({
            kind: 'record',
            id,
            topic: 'orders.dlq',
            key: null,
            value: Buffer.from([1, 2, 255]),
            headers,
          });
        }
      }
      const state = {
        status: (user: string) => snapshot.user(user)?.status,
        quantity: (item: string) => snapshot.item(item)?.quantity,
        decided: (orderId: string) => snapshot.decided(orderId),
      };
      const decisions = decideAll(orders, state, snapshot.at).flatMap((decision) =>
        decision.kind === 'decided' ? [decision.decided] : [],
      );
      const position = { ...SOURCE, next: from + records.length, last: null, clusterId: 'cluster' };
      return { changes: { decisions, outgoing, positions: [position] }, result: null };
    });
  }

  async #editFile(store: FileStore, file: string, change: (text: string) => string): Promise<boolean> {
    const name = path.join(FOLDER, file);
    const text = this.files.readByOthers(name)?.toString();
    if (text === undefined) return false;
    const changed = change(text);
    this.files.put(name, Buffer.from(changed));
    this.saved = changed;
    await store.transact({}, () => ({ changes: {}, result: null }));
    return true;
  }

  /** Commas for the columns after the first two. */
  #blanks(text: string): string {
    return ','.repeat((text.split('\n')[0] ?? '').split(',').length - 2);
  }

  async #restock(store: FileStore, by: number): Promise<boolean> {
    const text = this.files.get(path.join(FOLDER, 'inventory.csv'))?.toString() ?? '';
    for (const row of await store.items()) {
      // Only a file that is up to date has one meaning: otherwise the base is a guess, by the contract.
      if (!text.includes(`\n${row.item},${row.quantity}`)) return false;
    }
    const changed = text.replace(/\nbook,(\d+)/, (_, quantity: string) => `\nbook,${Number(quantity) + by}`);
    if (changed === text) return false;
    return this.#editFile(store, 'inventory.csv', () => changed);
  }
}

export function isCrash(error: unknown): error is Error {
  return error instanceof Crash || (error instanceof Error && error.cause instanceof Crash);
}
