import { setImmediate as nextTurn } from 'node:timers/promises';
import type { FactLog } from '../../../domain/facts.ts';
import type { HistoryPlace } from '../../../ports/health.ts';
import { Failure } from '../../../domain/failure.ts';
import { RESTORED_KEY, REWRITTEN } from '../../../domain/messages/restored.ts';
import type { HistoryLine, LogPlace, StockLog, StockPiece } from '../../../ports/store.ts';
import { replaced } from '../journal/tail.ts';
import { factLogName, type LogName } from '../layout.ts';
import type { Tables } from '../tables/tables.ts';
import { parseEdit } from './edit-line.ts';
import { parseFact } from './fact-lines.ts';
import { linesOf, type LogView } from './log.ts';
import { parseMovement } from './movement-line.ts';
import { parseNumberedDecided } from './parse-order-line.ts';

/*
 * All logs as one, by the transaction number of each line. Lines that older versions wrote have none: they come first,
 * ordered by their times, since a folder is upgraded only once.
 */

/** A millisecond or two: other work has to wait this long for its turn. */
const CHUNK_LINES = 200;
/** How much of a log is searched for an item at a time. */
const PIECE_BYTES = 256 * 1024;
const SEQ = Buffer.from('"seq":');

/** A log, and the function that parses its lines. */
export type HistoryLog = readonly [LogName, (line: Buffer) => HistoryLine];

/** In the order in which the lines of one transaction take effect. */
export function historyLogs(facts: readonly FactLog<never>[]): readonly HistoryLog[] {
  return [
    ['edits', editLine],
    ['orders', decisionLine],
    ['rejections', decisionLine],
    ['movements', movementLine],
    ...facts.map((log): HistoryLog => [factLogName(log.name), (line) => factLine(log, line)]),
  ];
}

/** @param logs in the order of `historyLogs` */
export function* mergedHistory(
  logs: readonly Iterator<HistoryLine, undefined>[],
): Generator<readonly HistoryLine[]> {
  const heads = logs.map((log) => log.next().value);
  let chunk: HistoryLine[] = [];
  for (;;) {
    let first = -1;
    let found: HistoryLine | undefined;
    for (let at = 0; at < heads.length; at++) {
      const head = heads[at];
      if (head === undefined || (found !== undefined && !comesBefore(head, found))) continue;
      first = at;
      found = head;
    }
    if (found === undefined) break;
    chunk.push(found);
    heads[first] = logs[first]?.next().value;
    if (chunk.length < CHUNK_LINES) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

/** @param other a line of a log that is before it in the list */
function comesBefore(one: HistoryLine, other: HistoryLine): boolean {
  if (one.seq !== other.seq) return (one.seq ?? 0) < (other.seq ?? 0);
  // A line without a number has a time.
  if (one.seq === null && one.at !== other.at) return (one.at ?? 0) < (other.at ?? 0);
  if (one.kind !== 'decision' || other.kind !== 'decision') return false;
  // Within a commit, the records of a partition were decided in the order of their offsets.
  const [{ record }, { record: others }] = [one.decided, other.decided];
  return record.partition === others.partition && record.offset < others.offset;
}

/** The end of the history of a folder. Rewriting its lines moves them, so it also changes the id of the history. */
export function historyEnd(
  { small }: Pick<Tables, 'small'>,
  storeId: string | null,
  ends: ReadonlyMap<string, number>,
): HistoryPlace {
  const rewritten = small.get(REWRITTEN.name)?.get(RESTORED_KEY) as { readonly at: number } | undefined;
  return { storeId: rewritten === undefined ? storeId : `${storeId ?? ''}.${rewritten.at}`, ends };
}

/**
 * What was added between two moments.
 *
 * @param folder its name in messages
 * @param view a log up to the later moment
 * @param from null: from the beginning
 * @throws Failure changed_since: another folder, or an earlier copy, is in its place; corrupt_state
 */
export function historyFrom(
  folder: string,
  view: (log: LogName) => LogView,
  {
    from,
    to,
    facts,
  }: {
    readonly from: HistoryPlace | null;
    readonly to: HistoryPlace;
    readonly facts: readonly FactLog<never>[];
  },
): AsyncGenerator<readonly HistoryLine[]> {
  if (from !== null && from.storeId !== null && from.storeId !== to.storeId) throw replaced(folder);
  const added = historyLogs(facts).map(([log, parse]) => {
    const start = from?.ends.get(log) ?? 0;
    if (start > (to.ends.get(log) ?? 0)) throw replaced(folder);
    return linesIn(view(log), parse, start);
  });
  return inTurns(mergedHistory(added));
}

/** Lets other work run after each chunk: the logs of a large folder take seconds to read. */
export async function* inTurns<T>(chunks: Iterable<T>): AsyncGenerator<T> {
  for (const chunk of chunks) {
    yield chunk;
    await nextTurn();
  }
}

/** The lines from a position on. @throws Failure corrupt_state */
export function* linesIn(
  view: LogView,
  parse: (line: Buffer) => HistoryLine,
  from = 0,
  chunkBytes?: number,
): Generator<HistoryLine, undefined> {
  for (const chunk of view.chunks(from, chunkBytes))
    for (const { line } of linesOf(chunk)) yield view.parsed(line, parse);
  return undefined;
}

const STOCK_LINES: Readonly<Record<StockLog, (line: Buffer) => HistoryLine>> = {
  edits: editLine,
  accepted: decisionLine,
  movements: movementLine,
};

/** See `StoreView.stockFromEnd`. */
export async function* stockPieces(
  view: LogView,
  log: StockLog,
  item: string,
  before?: LogPlace,
): AsyncGenerator<StockPiece> {
  const parse = STOCK_LINES[log];
  // All logs write the item in the same way; inside a text the quotes would be escaped.
  const needle = Buffer.from(`"item":${JSON.stringify(item)}`);
  const end = before === undefined ? view.sizeBytes : checkedEnd(view, before);
  for (const { chunk, position } of view.chunksFromEnd(end, PIECE_BYTES)) {
    const lines: StockPiece['lines'][number][] = [];
    for (const { line, at } of chunk.includes(needle) ? linesOf(chunk) : []) {
      if (!line.includes(needle)) continue;
      lines.push({ line: view.parsed(line, parse), behind: [position + at + line.byteLength + 1] });
    }
    const { seq, at } = view.parsed(chunk.subarray(0, chunk.indexOf(10)), parse);
    yield { lines: lines.reverse(), first: { seq, at }, begin: [position] };
  }
}

function checkedEnd(view: LogView, [position = -1]: LogPlace): number {
  const last = Buffer.alloc(1);
  const isEnd = position > 0 && view.read(last, position - 1) === 1 && last[0] === 10;
  if (isEnd || position === 0) return position;
  throw new Failure('invalid_value', `no line of the log ends at byte ${position}`, {
    fix: 'begin again without a cursor',
  });
}

function editLine(line: Buffer): HistoryLine {
  const edit = parseEdit(line);
  return { kind: 'edit', seq: seqOf(line), at: edit.at, edit };
}

function decisionLine(line: Buffer): HistoryLine {
  const { decided, seq } = parseNumberedDecided(line);
  return { kind: 'decision', seq, at: decided.decidedAt, decided };
}

function movementLine(line: Buffer): HistoryLine {
  const movement = parseMovement(line);
  return { kind: 'movement', seq: movement.seq, at: movement.at, movement };
}

function factLine(log: FactLog<never>, line: Buffer): HistoryLine {
  return { kind: 'fact', seq: seqOf(line), at: null, log, fact: parseFact(line) };
}

/** Inside a text the quotes would be escaped, so a match is the key, or the name of a user's column. */
function seqOf(line: Buffer): number | null {
  const at = line.indexOf(SEQ);
  if (at === -1) return null;
  const from = at + SEQ.byteLength;
  let seq = 0;
  for (let place = from; place < line.byteLength; place++) {
    const digit = (line[place] ?? 0) - 0x30;
    if (digit < 0 || digit > 9) break;
    seq = seq * 10 + digit;
  }
  return seq === 0 ? null : seq;
}
