import { unsentOf } from '../../src/app/run/outbox/outbox.ts';
import { FolderReader } from '../../src/adapters/files/reader.ts';
import type { LoggedEdit } from '../../src/domain/edit.ts';
import type { Item, User } from '../../src/domain/tables.ts';
import { formatRecordId } from '../../src/domain/orders/order.ts';
import type { StoreReader } from '../../src/ports/store.ts';
import { ManualClock } from './manual-clock.ts';
import { paidIn } from './owed.ts';
import { read, shown, type ShownParts } from './parts.ts';
import { parseCsv, type Rows, type Truth } from './oracle.ts';
import { FOLDER, TABLE_FILES, type Moment, type World } from './world.ts';

/* What a store, a reader and the bytes on disk say, held against the truth. */

/** Ids of those decided, on average. */
const ASKED = 6;

/** What can be seen of a truth. */
interface Seen {
  readonly users: [string, string | number][];
  readonly items: [string, string | number][];
  readonly accepted: readonly string[];
  readonly rejected: readonly string[];
  readonly positions: [number, number][];
  readonly parts: readonly string[];
  /** null: not looked at. */
  readonly edits: readonly string[] | null;
  readonly unsent: number | null;
}

function sorted<K extends string | number, V>(entries: Iterable<[K, V]>): [K, V][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : 1));
}

function expected(truth: Truth, parts: { all: boolean }): Seen {
  return {
    users: sorted(truth.rows['users.csv']),
    items: sorted(truth.rows['inventory.csv']),
    positions: sorted(truth.positions),
    parts: shown(truth.parts),
    accepted: truth.accepted,
    rejected: truth.rejected,
    edits: parts.all ? truth.edits : null,
    unsent: parts.all ? truth.unsent.length : null,
  };
}

/** What a reader can see of a folder, one that follows it included. */
type Shown = Pick<StoreReader, 'users' | 'items' | 'positions' | 'edits' | 'decisions'> & ShownParts;

/** What a reader may find, and what it finds: one of those is the other. */
export function findable(truth: Truth): string {
  const all = expected(truth, { all: false });
  return JSON.stringify({
    ...all,
    accepted: all.accepted.map(shortLine),
    rejected: all.rejected.map(shortLine),
  } satisfies Seen);
}

export async function foundBy(reader: Shown): Promise<string> {
  return JSON.stringify(await look(reader, null));
}

async function look(reader: Shown, world: { unsent: number; files: Moment['files'] } | null): Promise<Seen> {
  const users = Array.from(await reader.users(), (row: User): [string, string] => [row.user, row.status]);
  const items = Array.from(await reader.items(), (row: Item): [string, number] => [row.item, row.quantity]);
  const positions = (await reader.positions()).filter(({ processor }) => processor === 'orders');
  const edits: string[] = [];
  for await (const chunk of reader.edits()) for (const edit of chunk) edits.push(say(edit));
  return {
    users: sorted(users),
    items: sorted(items),
    positions: sorted(positions.map(({ partition, next }): [number, number] => [partition, next])),
    parts: await read(reader),
    ...(world === null ? await linesOf(reader) : logs(world.files)),
    edits: world === null ? null : edits,
    unsent: world?.unsent ?? null,
  };
}

function say(edit: LoggedEdit): string {
  switch (edit.kind) {
    case 'user':
      return `${edit.via} ${edit.user} ${edit.before?.status ?? 'none'} → ${edit.after?.status ?? 'none'}`;
    case 'item':
      return `${edit.via} ${edit.item} ${edit.before?.quantity ?? 'none'} → ${edit.after?.quantity ?? 'none'}`;
    case 'position':
      return `${edit.cause} ${edit.partition} ${edit.before ?? 'none'} → ${edit.after}`;
    case 'dead_letter':
      return edit.kind;
  }
}

/** The bytes of both logs, but for the words of a rejection and the numbers of transactions, which rise. */
function logs(files: Moment['files']): Pick<Seen, 'accepted' | 'rejected'> {
  const lines = (name: string): string[] => {
    const text = files.get(`${FOLDER}/${name}`)?.toString() ?? '';
    if (text !== '' && !text.endsWith('\n')) throw new Error(`${name} does not end with a line`);
    let last = 0;
    const withoutSeq = (line: string): string => {
      const [, text = ''] = /"seq":(\d+),"topic"/.exec(line) ?? [];
      const seq = Number(text);
      if (!(seq >= last && seq > 0)) throw new Error(`${name} has seq ${text} after ${last}: ${line}`);
      last = seq;
      return line.replace(`"seq":${text},`, '');
    };
    return text.split('\n').slice(0, -1).map(withoutSeq);
  };
  const rejected = lines('rejections.jsonl').map((line) => line.replace(/"detail":"(?:[^"\\]|\\.)*",/, ''));
  return { accepted: lines('orders.jsonl'), rejected };
}

/** The same as a reader has it, which knows of lines that the files do not hold yet: id, place and outcome. */
async function linesOf(reader: Shown): Promise<Pick<Seen, 'accepted' | 'rejected'>> {
  const found = { accepted: [] as string[], rejected: [] as string[] };
  for (const outcome of ['accepted', 'rejected'] as const) {
    for await (const chunk of reader.decisions(outcome)) {
      for (const { order, record } of chunk)
        found[outcome].push(`${order.orderId} ${formatRecordId(record)}`);
    }
  }
  return found;
}

function shortLine(line: string): string {
  const { order_id, topic, partition, offset } = JSON.parse(line) as {
    order_id: string;
    topic: string;
    partition: number;
    offset: number;
  };
  return `${order_id} ${formatRecordId({ topic, partition, offset })}`;
}

/** @returns the truth that the store has */
export async function matching(world: World, truths: readonly Truth[]): Promise<Truth> {
  const { store, files } = world;
  const seen = JSON.stringify(await look(store, { unsent: unsentOf(store), files }));
  const texts = truths.map((truth) => JSON.stringify(expected(truth, { all: true })));
  // The last that fits: what is in flight may change nothing that can be seen here.
  const index = texts.lastIndexOf(seen);
  const truth = truths[index];
  if (truth === undefined) throw difference('the store', seen, texts);
  return truth;
}

/** The index knows every decision, and no other; it is asked for a few that differ from time to time. */
export async function expectIndexed(world: World, next: () => number): Promise<void> {
  const { store, truth } = world;
  for (const [orderId, place] of truth.decided) {
    if (next() > ASKED / truth.decided.size) continue;
    const found = await store.decided(orderId);
    if (found?.order.orderId !== orderId || formatRecordId(found.record) !== place) {
      throw new Error(`${orderId} was decided at ${place}; the index says ${JSON.stringify(found ?? null)}`);
    }
  }
  if ((await store.decided('ORD-unknown')) !== undefined) throw new Error('the index makes decisions up');
}

/** A reader, which takes no lock and changes nothing, sees one of the truths at every moment. */
export async function expectReadable(moment: Moment): Promise<void> {
  const { files } = moment;
  // What an owner has moved aside at this moment may be an edit, which only the next owner puts back.
  const aside = TABLE_FILES.some((file) => files.get(`${FOLDER}/${file}.previous`) !== undefined);
  if (aside || moment.unfinished.size > 0) return;
  const before = files.calls;
  const reader = await FolderReader.open(files, FOLDER, new ManualClock(moment.time));
  const seen = await foundBy(reader);
  const texts = moment.truths.map(findable);
  if (!texts.includes(seen)) throw difference('a reader', seen, texts);
  const [orderId] = moment.truths[0]?.decided.keys() ?? [];
  if (orderId !== undefined && (await reader.decided(orderId)) === undefined) {
    throw new Error(`a reader does not know of ${orderId}`);
  }
  await reader[Symbol.asyncDispose]();
  if (files.calls !== before) throw new Error('a reader has changed something');
  if (files.openFiles !== 0) throw new Error('a reader has left files open');
}

/** Whatever has crashed: money was moved once, and not before it was committed that this is tried. */
export function expectPaidOnce({ gateway, truth }: World): void {
  const paid = paidIn(truth);
  for (const [order, times] of gateway.moved) {
    if (times > 1) throw new Error(`${order} was paid ${times} times`);
    const { attempts } = truth.parts.effects.get(order) ?? { attempts: 0 };
    if (attempts === 0 && !paid.includes(order))
      throw new Error(`${order} was paid, and nobody had tried to`);
  }
  const unpaid = paid.find((order) => !gateway.moved.has(order));
  if (unpaid !== undefined) throw new Error(`${unpaid} was not paid, and is said to be`);
}

/** After a clean end: views are what they are views of, and nothing lies about. */
export function expectClosed(world: World): void {
  const { files, truth, broker } = world;
  expectPaidOnce(world);
  const seen = logs(files);
  const { accepted, rejected } = truth;
  if (JSON.stringify(seen) !== JSON.stringify({ accepted, rejected })) {
    throw difference('the logs', JSON.stringify(seen), [JSON.stringify({ accepted, rejected })]);
  }
  for (const file of TABLE_FILES) {
    const text = files.get(world.path(file))?.toString();
    if (text === undefined && truth.rows[file].size === 0) continue;
    if (!sameRows(parseCsv(text ?? ''), truth.rows[file])) {
      throw new Error(
        `${file} is ${JSON.stringify(text)}, its table ${JSON.stringify([...truth.rows[file]])}`,
      );
    }
  }
  const names = files.names();
  const leftover = names.find((name) => /\.csv\.(new|previous)$/.test(name));
  if (leftover !== undefined) throw new Error(`${leftover} was left behind`);
  if (files.openFiles !== 0) throw new Error(`${files.openFiles} files were left open`);
  for (const id of truth.undelivered) {
    const kept = `${FOLDER}/.orderctl/undelivered/${encodeURIComponent(id)}.json`;
    if (!names.includes(kept)) throw new Error(`${id} was refused by the broker and is not kept`);
  }
  const sent = new Set(broker.arrived);
  const missing = truth.deadLetters.find((id) => !sent.has(id) && !truth.undelivered.includes(id));
  if (missing !== undefined) throw new Error(`dead letter ${missing} is nowhere`);
  const strange = broker.known.find((id) => !truth.deadLetters.includes(id));
  if (strange !== undefined) throw new Error(`dead letter ${strange} was sent and is not in the journal`);
  for (const [topic, ids] of broker.knownByTopic) {
    const committed = truth.deadLetters.filter((id) => ids.includes(id));
    if (committed.join() !== ids.join())
      throw new Error(`${topic} has ${ids.join()}, not ${committed.join()}`);
  }
}

function sameRows(a: Rows, b: Rows): boolean {
  return a.size === b.size && [...a].every(([name, value]) => b.get(name) === value);
}

/** Shows the parts alone that differ from the last of the truths. */
function difference(who: string, seen: string, texts: readonly string[]): Error {
  const found = JSON.parse(seen) as Record<string, unknown>;
  const wanted = texts.map((text) => JSON.parse(text) as Record<string, unknown>);
  const parts = Object.keys(found).filter((part) => {
    return !wanted.some((other) => JSON.stringify(other[part]) === JSON.stringify(found[part]));
  });
  const shown = parts.length > 0 ? parts : Object.keys(found);
  const show = (of: Record<string, unknown>): string =>
    shown.map((part) => `  ${part}: ${JSON.stringify(of[part])}`).join('\n');
  const expectations = [...new Set(wanted.map(show))].join('\n or\n');
  return new Error(`${who} has\n${show(found)}\n instead of\n${expectations}`);
}
