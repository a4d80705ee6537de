import { difference, type AuditNote, type Difference } from '../../domain/difference.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { PlacedLines, StoreInspection } from '../../ports/health.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Destination } from '../../ports/store.ts';
import { Furthest, UserBooks } from './books.ts';
import type { Moment, Reached } from '../history/moment.ts';
import { CheckoutOrders } from './checkout-orders.ts';
import { EventBooks } from './events.ts';
import { eachLine, unreadable } from './each-line.ts';
import { asOf, readPastBooks } from './past.ts';
import { auditServices, type AuditedServices } from './services.ts';
import { StockBooks } from './stock.ts';
import type { InFlight } from './in-flight.ts';
import { takeMarks, type DeadLetterState } from '../dlq/dead-letters.ts';
import { stoppable } from './stoppable.ts';
import type { AuditedTopic } from './topic.ts';
import { auditTopics, type TopicPorts } from './topics.ts';
import { Courses, type Skip } from '../offsets/skips.ts';

/** All differences are counted; at most this many are kept. */
const MAX_DIFFERENCES = 100;

export interface AuditOptions {
  /** Also compares these topics with the store; null: does not. */
  readonly topic: TopicPorts | null;
  /** Rebuilds the views, for which the store must be owned. */
  readonly repair: boolean;
  /** Audits the state at that moment. Not together with the topics or a repair. */
  readonly at?: Moment | null;
  readonly onNotice: (notice: StoreNotice) => void;
  /** Ends the audit with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface AuditResult {
  /** The requested moment, as far as history reaches; null: the present. */
  readonly asOf: Readonly<Reached> | null;
  readonly checked: {
    readonly items: number;
    readonly users: number;
    readonly orders: number;
    readonly rejections: number;
    readonly edits: number;
  };
  /** For the direct flow; null: the topics were not read. */
  readonly topic: AuditedTopic | null;
  /** For the checkout; null: its topic was not read, or the store has no checkout. */
  readonly created: AuditedTopic | null;
  readonly inFlight: InFlight | null;
  /** The checkout and the pending effects. */
  readonly services: AuditedServices;
  readonly skips: readonly Skip[];
  /** The number of unsent messages, by destination. */
  readonly unsent: ReadonlyMap<Destination, number>;
  readonly undelivered: number;
  /** Why it is unknown whether a process owned the store; null: it is known. */
  readonly ownerUnknown: Failure | null;
  readonly notes: readonly AuditNote[];
  readonly total: number;
  /** The first differences. */
  readonly differences: readonly Difference[];
  /** Differences that the repair removed. */
  readonly repaired: readonly Difference[];
}

/**
 * Derives stock and decisions from the logs and compares: stock is what was added less what was sold, each order id is
 * decided once, and every file agrees with its sources. Reads in a stream, so size does not matter. May run while a
 * consumer does, except for a repair.
 *
 * @throws Failure folder_in_use for a repair; with topics, as the broker and the codec
 */
export async function audit(access: StoreAccess, options: AuditOptions): Promise<AuditResult> {
  const before = await look(access, options);
  if (!options.repair) return before;
  await access.rebuildViews({ onNotice: options.onNotice });
  const after = await look(access, options);
  const left = new Set(after.differences.map(nameOf));
  return { ...after, repaired: before.differences.filter((found) => !left.has(nameOf(found))) };
}

function nameOf({ kind, where, orderId, item }: Difference): string {
  return JSON.stringify([kind, where, orderId, item]);
}

async function look(
  access: StoreAccess,
  { topic, at = null, signal }: Pick<AuditOptions, 'topic' | 'at' | 'signal'>,
): Promise<AuditResult> {
  const differences = new Differences();
  const past = at === null ? null : await readPastBooks(access, at);
  let inspection: StoreInspection;
  try {
    inspection = stoppable(await access.inspect(), signal);
  } catch (error) {
    if (!isFailure(error, 'corrupt_state', 'corrupt_file')) throw error;
    differences.add(damaged(error, access.name));
    return { ...NOTHING, ...differences.result() };
  }
  await using opened = past === null ? inspection : asOf(inspection, past);
  const report = (found: Difference): void => differences.add(found);
  const ledger = await readLedger(opened, report, past !== null);
  const notes: AuditNote[] = [...ledger.services.notes];
  for await (const finding of opened.findings()) {
    if (finding.difference !== undefined) differences.add(finding.difference);
    else notes.push(finding.note);
  }
  const skips = ledger.courses.skips();
  const sink = { skips, marks: ledger.marks, report, notes };
  const audited = topic === null ? NOT_READ : await auditTopics(opened, topic, ledger.checkout, sink);
  let undelivered = 0;
  for await (const record of opened.undelivered()) if (record.id !== '') undelivered += 1;
  return {
    asOf: past === null ? null : { seq: past.seq, at: past.at, unnumbered: past.unnumbered },
    checked: ledger.checked,
    ...audited,
    skips,
    services: ledger.services,
    unsent: opened.unsent(),
    undelivered,
    ownerUnknown: typeof opened.isOwned === 'boolean' ? null : opened.isOwned,
    notes,
    ...differences.result(),
    repaired: [],
  };
}

const NOT_READ = { topic: null, created: null, inFlight: null };

const NOTHING: Omit<AuditResult, 'total' | 'differences'> = {
  asOf: null,
  checked: { items: 0, users: 0, orders: 0, rejections: 0, edits: 0 },
  services: { orders: 0, unfinished: 0, waiting: [], movements: 0, facts: 0, owed: 0, parked: 0, notes: [] },
  ...NOT_READ,
  skips: [],
  unsent: new Map(),
  undelivered: 0,
  ownerUnknown: null,
  notes: [],
  repaired: [],
};

class Differences {
  readonly #kept: Difference[] = [];
  #total = 0;

  add(found: Difference): void {
    this.#total += 1;
    if (this.#kept.length < MAX_DIFFERENCES) this.#kept.push(found);
  }

  result(): Pick<AuditResult, 'total' | 'differences'> {
    return { total: this.#total, differences: this.#kept };
  }
}

/** The logs or tables themselves are damaged: nothing else can be compared. */
function damaged({ message, fix, context }: Failure, folder: string): Difference {
  const file = context.file ?? folder;
  const where = file.startsWith(`${folder}/`) ? file.slice(folder.length + 1) : file;
  return difference('state_damaged', where, { message, ...(fix === null ? {} : { fix }) });
}

interface ReadLedger {
  readonly checked: AuditResult['checked'];
  readonly courses: Courses;
  /** The states of dead letters, by `stateKey`. */
  readonly marks: ReadonlyMap<string, DeadLetterState>;
  readonly checkout: CheckoutOrders;
  readonly services: AuditedServices;
}

/** Reads the logs once. @param isPast the positions and effects of that moment are unknown */
async function readLedger(
  inspection: StoreInspection,
  report: (found: Difference) => void,
  isPast: boolean,
): Promise<ReadLedger> {
  const books = new StockBooks(report);
  const users = new UserBooks(report);
  const courses = new Courses();
  const furthest = new Furthest();
  const checkout = new CheckoutOrders();
  const events = new EventBooks(report);
  const removed = new Set<string>();
  const marks = new Map<string, DeadLetterState>();
  const edits = new EditReader(inspection, report, (edit, where) => {
    if (edit.kind === 'item') {
      books.edit(edit, where);
      if (edit.after === null) removed.add(edit.item);
    }
    if (edit.kind === 'user') users.edit(edit, where);
    if (edit.kind === 'position') courses.take(edit);
    if (edit.kind === 'dead_letter') takeMarks(edit, marks);
  });
  for (const [item, sold] of inspection.archived()?.sold ?? []) books.carry(item, sold);
  const movements = await eachLine(inspection.movements(), report, (movement, file, line) => {
    books.move(movement);
    checkout.move(movement);
    events.move(movement, `${file}:${line}`);
    return undefined;
  });
  const orders = await eachLine(inspection.decisions('accepted'), report, (decided, file, line) => {
    furthest.take(decided, file, line);
    if (books.isReadyFor(decided)) {
      books.sale(decided, file, line);
      return undefined;
    }
    // Edits are read only as far as they are needed.
    return (async () => {
      while (!books.isReadyFor(decided) && (await edits.readOn()));
      books.sale(decided, file, line);
    })();
  });
  const rejections = await eachLine(inspection.decisions('rejected'), report, (decided, file, line) => {
    furthest.take(decided, file, line);
    return undefined;
  });
  while (await edits.readOn());
  const positions = inspection.positions();
  for (const position of positions) courses.readTo(position, position.next);
  if (!isPast) furthest.close(courses, report);
  books.close(inspection.items(), (item) => inspection.whereRow('items', item));
  users.close(inspection.users(), (user) => inspection.whereRow('users', user));
  return {
    checked: { items: books.size, users: users.size, orders, rejections, edits: edits.count },
    courses,
    marks,
    checkout,
    services: {
      movements,
      ...(await auditServices(inspection, { orders: checkout, events }, { removed, isPast }, report)),
    },
  };
}

/** Reads the log of edits in chunks, as needed. */
class EditReader {
  readonly #chunks: AsyncIterator<PlacedLines<LoggedEdit>>;
  readonly #report: (found: Difference) => void;
  readonly #take: (edit: LoggedEdit, where: string) => void;
  count = 0;

  constructor(
    inspection: StoreInspection,
    report: (found: Difference) => void,
    take: (edit: LoggedEdit, where: string) => void,
  ) {
    this.#chunks = inspection.edits()[Symbol.asyncIterator]();
    this.#report = report;
    this.#take = take;
  }

  /** @returns false at the end */
  async readOn(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    const { file, firstLine, lines } = next.value;
    for (const [at, edit] of lines.entries()) {
      // Edits of positions are numerous and change no table, so they are not counted.
      if (edit?.kind !== 'position') this.count += 1;
      if (edit === undefined) this.#report(unreadable(file, firstLine + at));
      else this.#take(edit, `${file}:${firstLine + at}`);
    }
    return true;
  }
}
