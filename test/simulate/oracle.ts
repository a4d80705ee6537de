import type { EditRequest } from '../../src/domain/edit.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { NO_PARTS, type Parts } from './parts.ts';
import { batchOf, DLQ_TOPIC, MAX_DEAD_LETTER_BYTES, TOPIC, type SimRecord, type SimTopic } from './topic.ts';

/*
 * The plainest account of what a folder must come to: whole tables, whole versions of files, lists of lines. It shares
 * no code with the store. A truth is never changed; what happens makes another.
 */

/** An edit of a table. */
export type TableEdit = Exclude<EditRequest, { kind: 'dead_letter.mark' }>;
export type TableFile = 'users.csv' | 'inventory.csv';
/** Status or quantity by name. */
export type Rows = ReadonlyMap<string, string | number>;

/** One version of a CSV that the store knows, or may know. */
export interface FileVersion {
  readonly rows: Rows;
  /** null: perhaps written down, and perhaps put in place. */
  readonly text: string | null;
}

export interface Truth {
  readonly rows: Readonly<Record<TableFile, Rows>>;
  /** Lines of orders.jsonl, byte by byte. */
  readonly accepted: readonly string[];
  /** Lines of rejections.jsonl without their `detail`. */
  readonly rejected: readonly string[];
  /** Place of the deciding record by order id. */
  readonly decided: ReadonlyMap<string, string>;
  readonly edits: readonly string[];
  readonly positions: ReadonlyMap<number, number>;
  readonly unsent: readonly DeadLetter[];
  /** Every record that was found to be no order, once. */
  readonly deadLetters: readonly string[];
  readonly undelivered: readonly string[];
  /**
   * By save: how much less of an item there is than the save says, because no stock could say it. Several, where the save
   * may have been made from several versions: of an item that it removes, they differ in nothing else.
   */
  readonly owed: ReadonlyMap<string, readonly Owed[]>;
  /** Of a second service. */
  readonly parts: Parts;
}

type Owed = ReadonlyMap<string, number>;

/** Something to be sent: a dead letter, or what the second service sends. */
export interface DeadLetter {
  readonly id: string;
  readonly topic: string;
  readonly tooLarge: boolean;
}

export const FRESH: Truth = {
  rows: { 'users.csv': new Map(), 'inventory.csv': new Map() },
  accepted: [],
  rejected: [],
  decided: new Map(),
  edits: [],
  positions: new Map(),
  unsent: [],
  deadLetters: [],
  undelivered: [],
  owed: new Map(),
  parts: NO_PARTS,
};

/** A batch is read for `position`, the one in force. */
export function afterBatch(
  truth: Truth,
  topic: SimTopic,
  fetch: { partition: number; from: number; count: number },
  at: number,
): Truth {
  const position = truth.positions.get(fetch.partition) ?? 0;
  const { records, next } = batchOf(topic, fetch.partition, fetch.from, fetch.count);
  if (next <= position && truth.positions.has(fetch.partition)) return truth;
  const state = {
    stock: new Map(truth.rows['inventory.csv']) as Map<string, number>,
    accepted: [...truth.accepted],
    rejected: [...truth.rejected],
    decided: new Map(truth.decided),
    unsent: [...truth.unsent],
    deadLetters: [...truth.deadLetters],
  };
  for (const record of records as readonly SimRecord[]) {
    if (record.offset < position) continue;
    const id = `${TOPIC}/${fetch.partition}@${record.offset}`;
    if (record.order === null) {
      const tooLarge = (record.value?.byteLength ?? 0) > MAX_DEAD_LETTER_BYTES;
      state.unsent.push({ id, topic: DLQ_TOPIC, tooLarge });
      if (!state.deadLetters.includes(id)) state.deadLetters.push(id);
    } else if (!state.decided.has(record.order.orderId)) {
      state.decided.set(record.order.orderId, id);
      const users = truth.rows['users.csv'] as ReadonlyMap<string, string>;
      decide(record.order, users, state, { partition: fetch.partition, offset: record.offset, at });
    }
  }
  return {
    ...truth,
    ...state,
    rows: { ...truth.rows, 'inventory.csv': state.stock },
    positions: new Map(truth.positions).set(fetch.partition, Math.max(next, position)),
  };
}

function decide(
  order: Order,
  users: ReadonlyMap<string, string>,
  state: { stock: Map<string, number>; accepted: string[]; rejected: string[] },
  record: { partition: number; offset: number; at: number },
): void {
  const { stock } = state;
  const status = users.get(order.user);
  const wanted = new Map<string, number>();
  for (const { item, quantity } of order.items) wanted.set(item, (wanted.get(item) ?? 0) + quantity);
  const reason = ((): string | null => {
    if (status === undefined) return 'unknown_user';
    if (status !== 'paid') return 'user_not_paid';
    if (order.items.some(({ quantity }) => !Number.isInteger(quantity) || quantity < 1)) {
      return 'invalid_quantity';
    }
    if (order.items.some(({ item }) => !stock.has(item))) return 'unknown_item';
    return [...wanted].some(([item, quantity]) => quantity > (stock.get(item) ?? 0))
      ? 'insufficient_stock'
      : null;
  })();
  const head = {
    order_id: order.orderId,
    user: order.user,
    items: order.items.map(({ item, quantity, unitPrice }) => ({
      item,
      quantity,
      stock: stock.get(item) ?? null,
      ...(unitPrice === null ? {} : { unit_price: unitPrice }),
    })),
    created_at: new Date(order.createdAt).toISOString(),
  };
  const decidedAt = new Date(record.at).toISOString();
  const tail = { topic: TOPIC, partition: record.partition, offset: record.offset };
  if (reason === null) {
    for (const [item, quantity] of wanted) stock.set(item, (stock.get(item) ?? 0) - quantity);
    state.accepted.push(JSON.stringify({ ...head, accepted_at: decidedAt, ...tail }));
  } else {
    const why = { reason, user_status: status ?? null, rejected_at: decidedAt };
    state.rejected.push(JSON.stringify({ ...head, ...why, ...tail }));
  }
}

/** @param silent topics to which nothing gets */
export function afterDrain(truth: Truth, silent: ReadonlySet<string>): Truth {
  return afterSending(
    truth,
    new Set(truth.unsent.map(({ topic }) => topic).filter((topic) => !silent.has(topic))),
  );
}

function afterSending(truth: Truth, topics: ReadonlySet<string>): Truth {
  return without(truth, new Set(truth.unsent.filter(({ topic }) => topics.has(topic))));
}

function without(truth: Truth, done: ReadonlySet<DeadLetter>): Truth {
  const refused = [...done].filter(({ tooLarge }) => tooLarge).map(({ id }) => id);
  const unsent = truth.unsent.filter((one) => !done.has(one));
  return { ...truth, unsent, undelivered: [...truth.undelivered, ...refused] };
}

/** What sending may have come to at any moment, since no topic waits for another; all sent is the last. */
export function whileSending(truth: Truth, silent: ReadonlySet<string>): Truth[] {
  const topics = [...new Set(truth.unsent.map(({ topic }) => topic))].filter((topic) => !silent.has(topic));
  return Array.from({ length: 2 ** topics.length }, (_, sent) =>
    afterSending(truth, new Set(topics.filter((__, at) => ((sent >> at) & 1) === 1))),
  );
}

/** The same where one topic alone waits, to which what came first is under way already. */
export function whileSendingOn(truth: Truth): Truth[] {
  return Array.from({ length: truth.unsent.length + 1 }, (_, count) =>
    without(truth, new Set(truth.unsent.slice(0, count))),
  );
}

/** @returns the same truth when the edit must be refused */
export function afterEdit(truth: Truth, request: TableEdit, via: string): Truth {
  const file = 'user' in request ? 'users.csv' : 'inventory.csv';
  const name = 'user' in request ? request.user : request.item;
  const before = truth.rows[file].get(name);
  const value = edited(request, before);
  return value === undefined ? truth : withEdits(truth, file, [[name, value]], via);
}

/** @returns null: removed; undefined: refused */
function edited(request: TableEdit, before: string | number | undefined): string | number | null | undefined {
  if (request.kind.endsWith('.add') !== (before === undefined)) return undefined;
  switch (request.kind) {
    case 'user.add':
    case 'user.update':
      return request.status;
    case 'item.add':
      return request.quantity;
    case 'item.update': {
      const value = request.quantity ?? Number(before) + (request.by ?? 0);
      return value < 0 ? undefined : value;
    }
    case 'user.remove':
    case 'item.remove':
      return null;
  }
}

function withEdits(
  truth: Truth,
  file: TableFile,
  changes: readonly (readonly [string, string | number | null])[],
  via: string,
): Truth {
  const rows = new Map(truth.rows[file]);
  const edits = [...truth.edits];
  for (const [name, value] of changes) {
    edits.push(`${via} ${name} ${rows.get(name) ?? 'none'} → ${value ?? 'none'}`);
    if (value === null) rows.delete(name);
    else rows.set(name, value);
  }
  return { ...truth, edits, rows: { ...truth.rows, [file]: rows } };
}

export function afterMoves(
  truth: Truth,
  moves: readonly { partition: number; to: number; cause: string }[],
): Truth {
  const positions = new Map(truth.positions);
  const edits = [...truth.edits];
  for (const { partition, to, cause } of moves) {
    edits.push(`${cause} ${partition} ${positions.get(partition) ?? 'none'} → ${to}`);
    positions.set(partition, to);
  }
  return moves.length === 0 ? truth : { ...truth, positions, edits };
}

/** What became of a save. */
export type SaveOutcome = 'meant' | 'aside' | 'wrong';

/**
 * A user has saved a file, made from `loaded`. What was meant is known here alone: the store concludes it, and may be
 * wrong, but nothing else can come of a save than a merge from some version that it knew, or nothing at all.
 *
 * @param loaded null: it does not matter
 * @returns the outcomes; what was meant is the last
 */
export function afterSave(
  truth: Truth,
  file: TableFile,
  text: string,
  versions: readonly FileVersion[],
  loaded: Rows | null,
  found = parseCsv(text),
): { truth: Truth; outcome: SaveOutcome }[] {
  // Without a known version, all rows are additions.
  if (versions.length === 0) return [{ truth: merged(truth, file, found, new Map()), outcome: 'meant' }];
  // Where it is not sure of one version that it was written down, there may be none.
  const isAnyKnown = versions.some((version) => version.text !== null);
  const known = versions.map(({ rows }) => rows);
  const bases = (isAnyKnown ? known : [NO_ROWS, ...known]).filter(
    (rows) => !isMassDeletion(truth, file, found, rows),
  );
  const owedBy = (rows: Rows): readonly Owed[] => truth.owed.get(saveKey(file, rows)) ?? [];
  // A version of ours may have the rows of a save, and owes nothing.
  const wrong = bases.flatMap((rows) =>
    [NOTHING_OWED, ...owedBy(rows)].map((owed) => ({
      truth: merged(truth, file, found, rows, owed),
      outcome: 'wrong' as const,
    })),
  );
  const aside = { truth, outcome: 'aside' } as const;
  const key = saveKey(file, found);
  if (loaded === null || isMassDeletion(truth, file, found, loaded)) return [...alike(wrong, key), aside];
  const owed = owedBy(loaded);
  const meant = (owed.length === 0 ? [NOTHING_OWED] : owed).map((one) => ({
    truth: merged(truth, file, found, loaded, one),
    outcome: 'meant' as const,
  }));
  const all = alike([...wrong, ...meant], key);
  return [...all.slice(0, wrong.length), aside, ...all.slice(wrong.length)];
}

/** Outcomes that differ only in what the save owes are one, which owes the one or the other. */
function alike<O extends { readonly truth: Truth }>(outcomes: readonly O[], key: string): readonly O[] {
  const owed = new Map<string, Owed[]>();
  const seen = outcomes.map(({ truth }) =>
    JSON.stringify([[...truth.rows['users.csv']], [...truth.rows['inventory.csv']], truth.edits]),
  );
  outcomes.forEach(({ truth }, at) => {
    const text = seen[at] ?? '';
    const known = owed.get(text) ?? [];
    const added = (truth.owed.get(key) ?? []).filter((one) => !known.some((other) => sameOwed(one, other)));
    owed.set(text, [...known, ...added]);
  });
  return outcomes.map((one, at) => {
    const all = owed.get(seen[at] ?? '') ?? [];
    return { ...one, truth: { ...one.truth, owed: new Map(one.truth.owed).set(key, all) } };
  });
}

function sameOwed(a: Owed, b: Owed): boolean {
  return a.size === b.size && [...a].every(([name, debt]) => b.get(name) === debt);
}

/** Whether more than half of the rows are missing: that is never taken in. */
function isMassDeletion(truth: Truth, file: TableFile, found: Rows, base: Rows): boolean {
  const rows = [...truth.rows[file].keys()].filter((name) => base.has(name));
  return rows.filter((name) => !found.has(name)).length * 2 > rows.length;
}

const NOTHING_OWED: Owed = new Map();
const NO_ROWS: Rows = new Map();

function saveKey(file: TableFile, rows: Rows): string {
  return `${file}\n${renderCsv(file, rows)}`;
}

function merged(truth: Truth, file: TableFile, found: Rows, base: Rows, debts = NOTHING_OWED): Truth {
  const current = truth.rows[file];
  const changes: [string, string | number | null][] = [];
  const owed = new Map<string, number>();
  const atLeastZero = (name: string, wanted: number): number => {
    if (wanted < 0) owed.set(name, -wanted);
    return Math.max(0, wanted);
  };
  for (const [name, value] of found) {
    const was = base.get(name);
    const is = current.get(name);
    const debt = debts.get(name) ?? 0;
    if (was === value) {
      if (debt !== 0) owed.set(name, debt);
      continue;
    }
    let after = value;
    if (typeof value === 'number') {
      if (was === undefined && is === undefined) after = atLeastZero(name, value - debt);
      else if (was !== undefined && is !== undefined) {
        after = atLeastZero(name, Number(is) + value - Number(was) - debt);
      }
    }
    if (after !== is) changes.push([name, after]);
  }
  for (const [name, is] of current) {
    const was = base.get(name);
    if (found.has(name) || was === undefined) continue;
    changes.push([name, null]);
    if (typeof was === 'number') owed.set(name, was - Number(is) + (debts.get(name) ?? 0));
  }
  for (const [name, debt] of debts) if (!found.has(name) && !current.has(name)) owed.set(name, debt);
  const after = withEdits(truth, file, changes, 'file');
  return { ...after, owed: new Map(truth.owed).set(saveKey(file, found), [owed]) };
}

/** Files of the simulation need no quotes. */
export function parseCsv(text: string): Rows {
  const rows = new Map<string, string | number>();
  for (const line of text.split('\n').slice(1)) {
    const [name = '', value = ''] = line.split(',');
    if (name !== '') rows.set(name, /^\d+$/.test(value) ? Number(value) : value);
  }
  return rows;
}

export function renderCsv(file: TableFile, rows: Rows): string {
  const lines = [...rows].map(([name, value]) => `${name},${value}\n`);
  return `${file === 'users.csv' ? 'user,status' : 'item,quantity'}\n${lines.join('')}`;
}
