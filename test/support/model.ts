import type { Decided } from '../../src/domain/orders/decided.ts';
import { decideEdit, type Edit, type EditRequest, type LoggedEdit } from '../../src/domain/edit.ts';
import { Failure } from '../../src/domain/failure.ts';
import type { SetAside } from '../../src/domain/set-aside.ts';
import type { Item, User } from '../../src/domain/tables.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { Finding, PlacedLines, StoreInspection } from '../../src/ports/health.ts';
import type { OwnOptions, RunningConsumer } from '../../src/ports/owner.ts';
import type {
  Changes,
  Keys,
  Outgoing,
  Position,
  Snapshot,
  Store,
  NewDecisions,
  StoreView,
  TopicPartition,
  Undelivered,
} from '../../src/ports/store.ts';
import type { Processes } from '../../src/ports/processes.ts';

/**
 * A folder in memory: the plainest thing that keeps the port's promises. It is the store of the use-case tests and
 * the oracle of the file store's. Any key that was not asked for throws, which the real one does not check.
 */
export class ModelFolder implements StoreAccess {
  readonly name = 'model';
  storeId: string;
  readonly tables = { users: new Map<string, User>(), items: new Map<string, Item>() };
  readonly accepted: Decided[] = [];
  readonly rejected: Decided[] = [];
  readonly byId = new Map<string, Decided>();
  readonly log: LoggedEdit[] = [];
  readonly stored = new Map<string, Position>();
  readonly outgoing: Outgoing[] = [];
  readonly undelivered: Outgoing[] = [];
  readonly clock: Clock;
  owned = false;
  claimed = false;
  /** Set to make the next commits fail, as a full disk does. */
  failing: Failure | null = null;
  /** Set where this user may not ask the owner. */
  hidden: Failure | null = null;

  constructor(clock: Clock, storeId = 'model-folder') {
    this.clock = clock;
    this.storeId = storeId;
  }

  /** Files kept by name. */
  readonly kept = new Map<string, string>();
  #status: OwnOptions['status'];

  async consumerStatus(): Promise<RunningConsumer | null> {
    if (this.hidden !== null) throw this.hidden;
    if (!this.owned || this.#status === undefined) return null;
    return { pid: 1, startedAt: 0, status: this.#status() };
  }

  async stopConsumer(): Promise<null> {
    return null;
  }

  /** Who lives, by identity; any other process is of another machine. */
  readonly living = new Map<string, 'alive' | 'dead'>();
  readonly processes: Processes = {
    self: () => 'machine/1/1',
    stateOf: (identity) => this.living.get(identity) ?? 'unknown',
  };

  isThere(): boolean {
    return true;
  }

  async copyTable(): Promise<never> {
    throw new Error('the model has no files');
  }

  /** What `keptAside` says. */
  readonly aside: { readonly file: string; readonly why: SetAside }[] = [];

  keptAside(): readonly { readonly file: string; readonly why: SetAside }[] {
    return this.aside;
  }

  room(): { freeBytes: number; writable: boolean } {
    return { freeBytes: 2 ** 40, writable: true };
  }

  recentOrderIds(prefix: string, limit: number): readonly string[] {
    const ids = [...this.byId.keys()].reverse();
    return ids.filter((id) => id.startsWith(prefix)).slice(0, limit);
  }

  async own(options: OwnOptions): Promise<Store> {
    if (this.owned) throw new Failure('folder_in_use', `the folder is in use, wanted for ${options.purpose}`);
    this.owned = true;
    if (options.newId === true) this.storeId += '-2';
    this.#status = options.status;
    return new ModelStore(this);
  }

  async edit(request: EditRequest): Promise<Edit> {
    const edit = decideEdit(request, {
      user: (user) => this.tables.users.get(user),
      item: (item) => this.tables.items.get(item),
    });
    this.apply({ edits: [edit] });
    return edit;
  }

  async claim(task: string): Promise<AsyncDisposable> {
    if (this.claimed) throw new Failure('folder_in_use', `another ${task} is at work`);
    this.claimed = true;
    return {
      [Symbol.asyncDispose]: async () => {
        this.claimed = false;
      },
    };
  }

  async read(): Promise<StoreView> {
    return new ModelStore(this);
  }

  async inspect(): Promise<StoreInspection> {
    const store = new ModelStore(this);
    const placed = async function* <T>(
      file: string,
      chunks: AsyncIterable<readonly T[]>,
    ): AsyncGenerator<PlacedLines<T>> {
      for await (const lines of chunks) yield { file, firstLine: 1, lines };
    };
    return {
      isOwned: this.hidden ?? this.owned,
      users: () => this.tables.users.values(),
      items: () => this.tables.items.values(),
      positions: () => [...this.stored.values()],
      unsent: () => this.outgoing,
      undelivered: () => store.undelivered(),
      decided: (orderId) => store.decided(orderId),
      decisions: (outcome) => placed(`${outcome}.jsonl`, store.decisions(outcome)),
      edits: () => placed('edits.jsonl', store.edits()),
      whereRow: (table, name) => `${table}:${name}`,
      findings: () => this.#findings(),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** What a file store would find, for tests to set. */
  found: Finding[] = [];

  async *#findings(): AsyncGenerator<Finding> {
    yield* this.found;
  }

  async rebuildViews(): Promise<void> {
    if (this.owned) throw new Failure('folder_in_use', 'the folder is in use');
    this.found = this.found.filter(({ difference }) => difference?.fix !== null);
  }

  apply(changes: Changes): void {
    if (this.failing !== null) throw this.failing;
    for (const edit of changes.edits ?? []) {
      this.log.push({ ...edit, at: this.clock.now(), by: 'model', via: 'command' });
      if (edit.kind === 'user') put(this.tables.users, edit.user, edit.after);
      else if (edit.kind === 'item') put(this.tables.items, edit.item, edit.after);
    }
    for (const decided of changes.decisions ?? []) this.#decide(decided);
    for (const position of changes.positions ?? []) this.stored.set(nameOf(position), position);
    this.outgoing.push(...(changes.outgoing ?? []));
  }

  #decide(decided: Decided): void {
    const { order, outcome } = decided;
    if (this.byId.has(order.orderId)) throw new Error(`order ${order.orderId} is decided twice`);
    this.byId.set(order.orderId, decided);
    if (outcome.kind === 'rejected') {
      this.rejected.push(decided);
      return;
    }
    this.accepted.push(decided);
    for (const { item, quantity } of order.items) {
      const row = this.tables.items.get(item);
      if (row === undefined || row.quantity < quantity) throw new Error(`${order.orderId} oversells ${item}`);
      this.tables.items.set(item, { ...row, quantity: row.quantity - quantity });
    }
  }
}

class ModelStore implements Store {
  readonly storeId: string;
  readonly #folder: ModelFolder;

  constructor(folder: ModelFolder) {
    this.#folder = folder;
    this.storeId = folder.storeId;
  }

  async transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    const asked = {
      users: new Set(keys.users),
      items: new Set(keys.items),
      orders: new Set(keys.orders),
      partitions: new Set(Array.from(keys.partitions ?? [], nameOf)),
    };
    const folder = this.#folder;
    const check = (set: Set<string>, key: string): string => {
      if (!set.has(key)) throw new Error(`${key} was not among the keys of the transaction`);
      return key;
    };
    const userOf = (user: string): User | undefined => folder.tables.users.get(check(asked.users, user));
    const itemOf = (item: string): Item | undefined => folder.tables.items.get(check(asked.items, item));
    const { changes, result } = decide({
      at: folder.clock.now(),
      status: (user) => userOf(user)?.status,
      quantity: (item) => itemOf(item)?.quantity,
      user: userOf,
      item: itemOf,
      decided: (orderId) => folder.byId.get(check(asked.orders, orderId)),
      position: (of) => folder.stored.get(check(asked.partitions, nameOf(of))),
    });
    folder.apply(changes);
    return result;
  }

  async drain(send: (records: readonly Outgoing[]) => Promise<readonly Outgoing[]>): Promise<number> {
    const waiting = [...this.#folder.outgoing];
    if (waiting.length === 0) return 0;
    const refused = await send(waiting);
    this.#folder.outgoing.splice(0, waiting.length);
    this.#folder.undelivered.push(...refused);
    return waiting.length - refused.length;
  }

  unsent(): number {
    return this.#folder.outgoing.length;
  }

  async keepFile(name: string, text: string): Promise<string> {
    if (this.#folder.failing !== null) throw this.#folder.failing;
    this.#folder.kept.set(name, text);
    return `model/${name}`;
  }

  async users(): Promise<Iterable<User>> {
    return [...this.#folder.tables.users.values()];
  }

  async items(): Promise<Iterable<Item>> {
    return [...this.#folder.tables.items.values()];
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    return this.#folder.byId.get(orderId);
  }

  async *decisions(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    yield [...this.#folder[outcome]];
  }

  async *decisionsFromEnd(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    yield [...this.#folder[outcome]].reverse();
  }

  newDecisions(signal: AbortSignal): AsyncGenerator<NewDecisions> {
    const { accepted, rejected } = this.#folder;
    return this.#newDecisions({ accepted: accepted.length, rejected: rejected.length }, signal);
  }

  async *#newDecisions(
    ends: Record<'accepted' | 'rejected', number>,
    signal: AbortSignal,
  ): AsyncGenerator<NewDecisions> {
    for (const { accepted, rejected, clock } = this.#folder; !signal.aborted;) {
      yield { accepted: accepted.slice(ends.accepted), rejected: rejected.slice(ends.rejected) };
      ends = { accepted: accepted.length, rejected: rejected.length };
      await clock.sleep(200, signal);
    }
  }

  async *edits(): AsyncGenerator<readonly LoggedEdit[]> {
    yield [...this.#folder.log];
  }

  async *undelivered(): AsyncGenerator<Undelivered> {
    yield* namedUndelivered(this.#folder.undelivered);
  }

  async positions(): Promise<readonly Position[]> {
    return [...this.#folder.stored.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder.owned = false;
  }
}

/** One for each id and content, the first of an id under that. */
function namedUndelivered(records: readonly Outgoing[]): Undelivered[] {
  const kept = new Map<string, Undelivered>();
  const firsts = new Map<string, string>();
  for (const record of records) {
    const { id, topic, key, value } = record;
    const headers = record.headers.filter(([name]) => name !== 'x-failed-at' && name !== 'x-attempts');
    const content = JSON.stringify([id, topic, key && [...key], value && [...value], headers]);
    if (!firsts.has(id)) firsts.set(id, content);
    const number = kept.size.toString(16).padStart(8, '0');
    const name = firsts.get(id) === content ? id : `${id}~${number}`;
    kept.set(content, { ...record, name: kept.get(content)?.name ?? name });
  }
  return [...kept.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function nameOf(of: TopicPartition): string {
  return `${of.topic}/${of.partition}`;
}

function put<Row>(table: Map<string, Row>, name: string, row: Row | null): void {
  if (row === null) table.delete(name);
  else table.set(name, row);
}
