import { Failure } from '../../../domain/failure.ts';
import type { FactLog } from '../../../domain/facts.ts';
import type { Edit, LoggedEdit } from '../../../domain/edit.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { StoreRest, StoreTarget } from '../../../ports/whole/store-copy.ts';
import type { Changes, HistoryLine, Outgoing } from '../../../ports/store.ts';
import { writeList } from '../csv/list-file.ts';
import type { FileSystem } from '../fs.ts';
import { ChangeEncoder } from '../journal/change-encoder.ts';
import { innerFolder, isStorage, refuseDatabase } from '../layout.ts';
import { Ledger } from '../ledger.ts';
import type { EditStamp } from '../logs/edit-line.ts';
import { keepUndelivered } from '../logs/undelivered.ts';
import { settleCopied } from '../owned.ts';
import { acquire, type Ownership } from '../owner/owner.ts';
import { smallLines, type NamedRow, type StateLine } from '../tables/state-line.ts';
import { readSeal, removeSeal, writeSeal } from './seal.ts';

/** How many unsent messages are in memory at a time. */
const OUTGOING_AT_ONCE = 2_000;

interface Copied {
  readonly storeId: string;
  readonly from: string;
  readonly factLogs: readonly FactLog<never>[];
}

/** A folder that is created from another store, transaction by transaction. */
export class FolderTarget implements StoreTarget {
  readonly after: number;
  readonly #files: FileSystem;
  readonly #folder: string;
  readonly #clock: Clock;
  readonly #ownership: Ownership;
  readonly #ledger: Ledger;
  readonly #encoder: ChangeEncoder;
  #isClosed = false;

  private constructor(
    files: FileSystem,
    folder: string,
    clock: Clock,
    made: { ownership: Ownership; ledger: Ledger },
  ) {
    this.#files = files;
    this.#folder = folder;
    this.#clock = clock;
    this.#ownership = made.ownership;
    this.#ledger = made.ledger;
    this.#encoder = new ChangeEncoder(made.ledger.tables);
    this.after = made.ledger.nextSeq - 1;
  }

  /** @throws Failure already_exists, folder_in_use */
  static async open(files: FileSystem, folder: string, clock: Clock, of: Copied): Promise<FolderTarget> {
    const seal = readSeal(files, folder);
    const isBegun = seal?.why === 'incomplete' && seal.storeId === of.storeId;
    if (!isBegun && isStorage(files, folder)) {
      throw new Failure('already_exists', `${folder} is already a storage folder`, {
        fix: 'name a folder that is empty or does not exist yet',
        context: { file: folder },
      });
    }
    refuseDatabase(files, folder);
    const ownership = await acquire(innerFolder(folder), { purpose: 'store copy' }, async () => null);
    try {
      await writeSeal(files, folder, { why: 'incomplete', store: of.from, storeId: of.storeId });
      const onFailure = (): void => undefined;
      const ledger = await Ledger.open(files, folder, onFailure, { folderId: of.storeId });
      const target = new FolderTarget(files, folder, clock, { ownership, ledger });
      await target.#begin(of.factLogs);
      return target;
    } catch (error) {
      await ownership[Symbol.asyncDispose]();
      throw error;
    }
  }

  async #begin(logs: readonly FactLog<never>[]): Promise<void> {
    // Lines without a number: it cannot be known how many of them were copied.
    if (
      this.after === 0 &&
      this.#ledger.tables.users.rows.size + this.#ledger.tables.inventory.rows.size > 0
    ) {
      throw new Failure(
        'already_exists',
        `the copy in ${this.#folder} was interrupted too early to be continued`,
        {
          fix: 'remove the folder, and copy again',
          context: { file: this.#folder },
        },
      );
    }
    const known = this.#ledger.tables.facts;
    const lines: StateLine[] = logs.flatMap(({ name, key }) =>
      known.has(name) ? [] : [['facts', name, key] as const],
    );
    if (lines.length > 0) await this.#ledger.commit({ seq: this.after, lines });
  }

  async add(lines: readonly HistoryLine[]): Promise<void> {
    this.#encoder.clear();
    for (const { changes, stamp } of transactions(lines)) {
      const commit = this.#encoder.toCommit(changes, stamp);
      if (commit !== null) this.#ledger.stage(commit);
    }
    await this.#ledger.flush();
    if (this.#ledger.checkpointDue) await this.#ledger.startCheckpoint();
  }

  async finish(rest: StoreRest): Promise<void> {
    const { tables } = this.#ledger;
    const seq = this.#ledger.nextSeq - 1;
    const lines: StateLine[] = [
      ['rows', 'users', Array.from(rest.users, (row): NamedRow => [row.user, row])],
      ['rows', 'inventory', Array.from(rest.items, (row): NamedRow => [row.item, row])],
      ...rest.positions.map((position) => ['position', position] as const),
      ...Array.from(rest.small, ([name, rows]) => [...smallLines(name, rows)]).flat(),
      ...Array.from(rest.effects, (effect) => ['effect', effect.id, effect] as const),
    ];
    await this.#ledger.commit({ seq, lines });
    // An earlier round may have copied some of them.
    let left = [...tables.queues.waiting().values()].reduce((sum, count) => sum + count, 0);
    let some: Outgoing[] = [];
    const send = async (): Promise<void> => {
      if (some.length > 0) await this.#ledger.commit({ seq, lines: [], outgoing: some });
      some = [];
    };
    for await (const outgoing of rest.unsent) {
      if (left-- > 0) continue;
      some.push(outgoing);
      if (some.length === OUTGOING_AT_ONCE) await send();
    }
    await send();
    for await (const record of rest.undelivered) await keepUndelivered(this.#files, this.#folder, [record]);
    for (const list of ['suppliers', 'reports'] as const)
      if (rest.lists[list].length > 0) await writeList(this.#files, this.#folder, list, rest.lists[list]);
  }

  async open(): Promise<void> {
    await this.#close(true);
    await removeSeal(this.#files, this.#folder);
    // Writes the CSVs.
    await settleCopied({ folder: this.#folder, files: this.#files, clock: this.#clock });
  }

  async #close(isWhole: boolean): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (isWhole) await this.#ledger.finish();
    await this.#ledger.close();
    await this.#ownership[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close(false);
  }
}

/** Lines as the changes that they came from; edits of one transaction that have different origins come separately. */
function* transactions(lines: readonly HistoryLine[]): Generator<{ changes: Changes; stamp: EditStamp }> {
  let key = '';
  let some: HistoryLine[] = [];
  for (const line of lines) {
    const next = JSON.stringify([line.seq, line.kind === 'edit' ? originOf(line.edit) : null]);
    // What follows the edits of a transaction was decided after them, and may share their stamp.
    const isSame =
      some.length > 0 &&
      line.seq !== null &&
      line.seq === some[0]?.seq &&
      (line.kind !== 'edit' || key === next);
    if (!isSame && some.length > 0) {
      yield changesOf(some);
      some = [];
    }
    key = next;
    some.push(line);
  }
  if (some.length > 0) yield changesOf(some);
}

function originOf({ at, by, via, copy, why, undoes }: LoggedEdit): Omit<EditStamp, 'seq'> {
  return { at, by, via, copy, why, undoes } as Omit<EditStamp, 'seq'>;
}

function changesOf(lines: readonly HistoryLine[]): { changes: Changes; stamp: EditStamp } {
  const [first] = lines;
  const edit = lines.find((line) => line.kind === 'edit');
  const moved = lines.find((line) => line.kind === 'movement');
  const stamp =
    edit === undefined ? { at: moved?.at ?? 0, by: '', via: 'consume' as const } : originOf(edit.edit);
  return {
    changes: {
      edits: lines.flatMap((line) => (line.kind === 'edit' ? [withoutOrigin(line.edit)] : [])),
      decisions: lines.flatMap((line) => (line.kind === 'decision' ? [line.decided] : [])),
      movements: lines.flatMap((line) => (line.kind === 'movement' ? [line.movement] : [])),
      facts: lines.flatMap((line) => (line.kind === 'fact' ? [{ log: line.log, value: line.fact }] : [])),
    },
    stamp: { ...stamp, seq: first?.seq ?? 0 },
  };
}

/** An edit without its origin. The reason of a dead letter belongs to the edit itself. */
function withoutOrigin(logged: LoggedEdit): Edit {
  const isOrigin = (name: string): boolean =>
    ORIGIN.has(name) && !(name === 'why' && logged.kind === 'dead_letter');
  return Object.fromEntries(Object.entries(logged).filter(([name]) => !isOrigin(name))) as unknown as Edit;
}

const ORIGIN = new Set(['at', 'by', 'via', 'copy', 'why', 'undoes']);
