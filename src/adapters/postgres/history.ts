import type { Fact, FactLog } from '../../domain/facts.ts';
import type { HistoryLine, LoggedMovement, SalesLine, StockLog, StockPiece } from '../../ports/store.ts';
import type { Queries } from './lasting.ts';
import { DECISION_COLUMNS, decidedOf, type DecisionRow } from './rows/decisions.ts';
import { EDIT_COLUMNS, loggedEditOf, type EditRow } from './rows/edits.ts';

/** Rows of a log in memory at a time. */
const CHUNK_ROWS = 2_000;

/** The place of a log's row in history. */
export interface Place {
  readonly seq: number;
  readonly ordinal: number;
}

/* Each chunk of a log starts behind a place, by the index that ends with (seq, ordinal). */
export const AFTER = '(seq, ordinal) > ($1, $2) ORDER BY seq, ordinal LIMIT $3';
export const BEFORE = '(seq, ordinal) < ($1, $2) ORDER BY seq DESC, ordinal DESC LIMIT $3';
/** Behind and before everything that exists, within the limits of a bigint. */
export const END: Place = { seq: 2 ** 62, ordinal: 0 };
export const START: Place = { seq: -1, ordinal: 0 };

export const ORDERS = `SELECT ${DECISION_COLUMNS} FROM orderctl.orders o`;
const EDIT_ROWS = `SELECT ${EDIT_COLUMNS} FROM orderctl.edits`;
const MOVEMENT_ROWS = `SELECT seq, ordinal, at, item, delta, on_hand, cause, order_id, event_id
  FROM orderctl.stock_movements`;
export const EDITS = `${EDIT_ROWS} WHERE ${AFTER}`;
export const MOVEMENTS = `${MOVEMENT_ROWS} WHERE ${AFTER}`;
const FACTS = `SELECT seq, ordinal, log, value FROM orderctl.events_log WHERE log = ANY($4) AND ${AFTER}`;

/** Behind everything in a commit. */
export function placeAfter(seq: number): Place {
  return { seq, ordinal: 2 ** 31 - 1 };
}

export interface MovementRow extends Place {
  readonly at: number;
  readonly item: string;
  readonly delta: number;
  readonly on_hand: number;
  readonly cause: LoggedMovement['cause'];
  readonly order_id: string | null;
  readonly event_id: string | null;
}

export function movementOf(row: MovementRow): LoggedMovement {
  const { seq, at, item, delta, on_hand: onHand, cause, order_id: orderId, event_id: eventId } = row;
  return { seq, at, item, delta, onHand, cause, orderId, eventId };
}

export interface FactRow extends Place {
  readonly log: string;
  readonly value: Fact;
}

/** @param statement with the place as $1 and $2, the limit as $3, and `more` after them */
export async function* chunks<Row extends Place>(
  connection: Queries,
  statement: string,
  from: Place = START,
  more: readonly unknown[] = [],
): AsyncGenerator<readonly Row[]> {
  for (let at = from; ;) {
    const rows = await connection.query<Row>(statement, [at.seq, at.ordinal, CHUNK_ROWS, ...more]);
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    if (rows.length < CHUNK_ROWS) return;
    at = last;
  }
}

type Archived = AsyncIterable<readonly DecisionRow[]> | readonly (readonly DecisionRow[])[];

/**
 * See StoreReader.history.
 *
 * @param of.upTo the number of the last commit to include
 * @param of.archived orders behind `from` that are no longer in the database
 */
export async function* historyAfter(
  connection: Queries,
  facts: readonly FactLog<never>[],
  {
    from,
    upTo = Infinity,
    archived = [],
  }: {
    readonly from: Place;
    readonly upTo?: number;
    readonly archived?: Archived;
  },
): AsyncGenerator<readonly HistoryLine[]> {
  const decisions = lines(chunks<DecisionRow>(connection, `${ORDERS} WHERE ${AFTER}`, from), decisionLine);
  yield* merge(logsAfter(connection, facts, { from, archived, decisions }), upTo);
}

/** See StoreReader.salesHistory. */
export async function* summedHistory(
  connection: Queries,
  facts: readonly FactLog<never>[],
  { archived, decisions }: { readonly archived: Archived; readonly decisions: AsyncGenerator<SalesLine> },
): AsyncGenerator<readonly SalesLine[]> {
  yield* merge(logsAfter<SalesLine>(connection, facts, { from: START, archived, decisions }), Infinity);
}

/** @returns the logs, in the order of their lines within a commit */
function logsAfter<Line extends SalesLine>(
  connection: Queries,
  facts: readonly FactLog<never>[],
  {
    from,
    archived,
    decisions,
  }: { readonly from: Place; readonly archived: Archived; readonly decisions: AsyncGenerator<Line> },
): AsyncGenerator<HistoryLine | Line>[] {
  const byName = new Map(facts.map((log) => [log.name, log]));
  return [
    lines(chunks<EditRow>(connection, EDITS, from), editLine),
    // Archived orders come before everything in the database.
    lines(archived, decisionLine),
    decisions,
    lines(chunks<MovementRow>(connection, MOVEMENTS, from), movementLine),
    lines(chunks<FactRow>(connection, FACTS, from, [[...byName.keys()]]), ({ seq, log, value }) => ({
      kind: 'fact',
      seq,
      at: null,
      fact: value,
      log: byName.get(log) ?? unknownLog(log),
    })),
  ];
}

/** See StoreView.stockFromEnd. */
export async function* stockPieces(
  connection: Queries,
  log: StockLog,
  item: string,
  before: Place,
): AsyncGenerator<StockPiece> {
  switch (log) {
    case 'edits':
      for await (const rows of chunks<EditRow>(connection, `${EDIT_ROWS} WHERE ${BEFORE}`, before))
        yield stockPiece(rows, item, editLine);
      return;
    case 'accepted': {
      const statement = `${ORDERS} WHERE status = 'accepted' AND ${BEFORE}`;
      for await (const rows of chunks<DecisionRow>(connection, statement, before))
        yield stockPiece(rows, item, decisionLine);
      return;
    }
    case 'movements':
      for await (const rows of chunks<MovementRow>(connection, `${MOVEMENT_ROWS} WHERE ${BEFORE}`, before))
        yield stockPiece(rows, item, movementLine);
  }
}

/** @param rows some of them, the latest first */
export function stockPiece<Row extends Place>(
  rows: readonly Row[],
  item: string,
  read: (row: Row) => HistoryLine,
): StockPiece {
  const found = rows.map((row) => ({ line: read(row), behind: [row.seq, row.ordinal + 1] }));
  const last = rows.at(-1);
  return {
    lines: found.filter(({ line }) => isAbout(line, item)),
    first: found.at(-1)?.line ?? { seq: 0, at: 0 },
    begin: last === undefined ? [] : [last.seq, last.ordinal],
  };
}

function isAbout(line: HistoryLine, item: string): boolean {
  if (line.kind === 'edit') return line.edit.kind === 'item' && line.edit.item === item;
  if (line.kind === 'decision') return line.decided.order.items.some((one) => one.item === item);
  return line.kind === 'movement' && line.movement.item === item;
}

function editLine(row: EditRow): HistoryLine {
  return { kind: 'edit', seq: numberOf(row), at: row.at, edit: loggedEditOf(row) };
}

function movementLine(row: MovementRow): HistoryLine {
  return { kind: 'movement', seq: row.seq, at: row.at, movement: movementOf(row) };
}

export function decisionLine(row: DecisionRow): HistoryLine {
  return { kind: 'decision', seq: numberOf(row), at: row.decided_at, decided: decidedOf(row) };
}

/** Lines that were copied without a number have 0. */
function numberOf({ seq }: Place): number | null {
  return seq === 0 ? null : seq;
}

async function* lines<Row>(
  of: AsyncIterable<readonly Row[]> | Iterable<readonly Row[]>,
  read: (row: Row) => HistoryLine,
): AsyncGenerator<HistoryLine> {
  for await (const rows of of) for (const row of rows) yield read(row);
}

function unknownLog(name: string): never {
  throw new Error(`the log ${name} was not requested`);
}

/** @param logs each in order; within a commit, lines of an earlier log come first */
async function* merge<Line extends SalesLine>(
  logs: readonly AsyncGenerator<Line>[],
  upTo: number,
): AsyncGenerator<readonly Line[]> {
  const heads: (Line | null)[] = [];
  for (const log of logs) heads.push(await next(log));
  let chunk: Line[] = [];
  for (;;) {
    const first = indexOfFirst(heads);
    const head: Line | null = heads[first] ?? null;
    const log = logs[first];
    if (head === null || log === undefined || seqOf(head) > upTo) break;
    chunk.push(head);
    if (chunk.length === CHUNK_ROWS) {
      yield chunk;
      chunk = [];
    }
    heads[first] = await next(log);
  }
  if (chunk.length > 0) yield chunk;
}

async function next<Line>(log: AsyncGenerator<Line>): Promise<Line | null> {
  const found = await log.next();
  return found.done === true ? null : found.value;
}

/** @returns -1 when there is none */
function indexOfFirst(heads: readonly (SalesLine | null)[]): number {
  let first = -1;
  for (const [index, head] of heads.entries()) {
    if (head === null) continue;
    const known = heads[first];
    if (known == null || comesBefore(head, known)) first = index;
  }
  return first;
}

/** @param other from a log that is earlier in the list */
function comesBefore(one: SalesLine, other: SalesLine): boolean {
  if (one.seq !== other.seq) return seqOf(one) < seqOf(other);
  // A line without a number is placed by its time.
  return one.seq === null && (one.at ?? 0) < (other.at ?? 0);
}

function seqOf({ seq }: SalesLine): number {
  return seq ?? 0;
}
