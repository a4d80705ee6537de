import type { Decided } from '../../src/domain/orders/decided.ts';
import {
  decideConditionalEdit,
  type ConditionalEdit,
  type EditConditions,
  type RowRequest,
} from '../../src/domain/edits/conditional.ts';
import { decideEdit, type Edit, type EditRequest, type LoggedEdit } from '../../src/domain/edit.ts';
import { checkNewEffects, type Effect, type EffectKind } from '../../src/domain/effects.ts';
import type { Fact, FactLog, SmallTable } from '../../src/domain/facts.ts';
import { Failure } from '../../src/domain/failure.ts';
import { isPossible, type Movement } from '../../src/domain/movement.ts';
import type { SetAside } from '../../src/domain/set-aside.ts';
import type { Item, User } from '../../src/domain/tables.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { StoreAccess } from '../../src/ports/access.ts';
import type { Finding, PlacedLines, Room, StoreInspection } from '../../src/ports/health.ts';
import type { HistoryLine } from '../../src/ports/store.ts';
import type { Claim, OwnOptions, RunningConsumer } from '../../src/ports/owner.ts';
import {
  destinationOf,
  type Changes,
  type Destination,
  type FieldValues,
  type Keys,
  type LineAt,
  type LoggedMovement,
  type LogPlace,
  type Outgoing,
  type OutgoingRecord,
  type Snapshot,
  type Source,
  type StockLog,
  type StockPiece,
  type Store,
  type StoredPosition,
  type StoreView,
  type Undelivered,
} from '../../src/ports/store.ts';
import type { Processes } from '../../src/ports/processes.ts';

/**
 * A folder in memory: the simplest implementation that keeps the port's promises. It is the store of the use-case tests
 * and the oracle of the file store's tests. It throws for any key that was not requested, which the real store does not
 * check.
 */
export class ModelFolder implements StoreAccess {
  readonly name = 'model';
  storeId: string;
  readonly tables = { users: new Map<string, User>(), items: new Map<string, Item>() };
  readonly accepted: Decided[] = [];
  readonly rejected: Decided[] = [];
  readonly byId = new Map<string, Decided>();
  readonly log: LoggedEdit[] = [];
  readonly stored = new Map<string, StoredPosition>();
  readonly outgoing: Outgoing[] = [];
  readonly undelivered: OutgoingRecord[] = [];
  /** By log, in order. */
  readonly facts = new Map<string, Fact[]>();
  readonly small = new Map<string, Map<string, unknown>>();
  readonly owed = new Map<string, Effect>();
  readonly movements: LoggedMovement[] = [];
  /** Of all logs, in order. */
  readonly history: HistoryLine[] = [];
  /** The number of the last commit. */
  seq = 0;
  onEdits: OwnOptions['onEdits'];
  onOwed: OwnOptions['onOwed'];
  readonly clock: Clock;
  owned = false;
  claimed = false;
  /** The failure of a claim that was lost. */
  claimLost: Failure | null = null;
  /** Set to make the next commits fail, as a full disk does. */
  failing: Failure | null = null;
  /** Set when this user may not ask the owner. */
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

  /** The live processes, by identity; any other process is on another machine. */
  readonly living = new Map<string, 'alive' | 'dead'>();
  readonly processes: Processes = {
    self: () => 'machine/1/1',
    stateOf: (identity) => this.living.get(identity) ?? 'unknown',
  };

  async isThere(): Promise<boolean> {
    return true;
  }

  async copyTable(): Promise<never> {
    throw new Error('the model has no files');
  }

  async backUp(): Promise<never> {
    throw new Error('the model has no files');
  }

  /** The result of `keptAside`. */
  readonly aside: { readonly file: string; readonly why: SetAside }[] = [];

  keptAside(): readonly { readonly file: string; readonly why: SetAside }[] {
    return this.aside;
  }

  readonly on: { -readonly [Key in keyof Room]: Room[Key] } = {
    freeBytes: 2 ** 40,
    unwritable: null,
    medium: 'disk',
    owner: null,
  };

  async room(): Promise<Room> {
    return this.on;
  }

  async recentOrderIds(prefix: string, limit: number): Promise<readonly string[]> {
    const ids = [...this.byId.keys()].reverse();
    return ids.filter((id) => id.startsWith(prefix)).slice(0, limit);
  }

  async own(options: OwnOptions): Promise<Store> {
    if (this.owned) throw new Failure('folder_in_use', `the folder is in use, wanted for ${options.purpose}`);
    this.owned = true;
    if (options.newId === true) this.storeId += '-2';
    this.#status = options.status;
    this.onEdits = options.onEdits;
    this.onOwed = options.onOwed;
    // Attempts of the previous owner have no owner any more.
    for (const [id, effect] of this.owed)
      if (effect.state === 'trying') this.owed.set(id, { ...effect, dueAt: 0 });
    return new ModelStore(this);
  }

  async edit(request: EditRequest): Promise<Edit> {
    const edit = decideEdit(request, this.state());
    this.apply({ edits: [edit] });
    return edit;
  }

  async editIf(request: RowRequest, conditions: EditConditions): Promise<ConditionalEdit> {
    const { changes, result } = decideConditionalEdit(request, conditions, this.state());
    this.apply(changes);
    return result;
  }

  async claim(task: string): Promise<Claim> {
    if (this.claimed) throw new Failure('folder_in_use', `another ${task} is at work`);
    this.claimed = true;
    return {
      check: async () => {
        if (this.claimLost !== null) throw this.claimLost;
      },
      [Symbol.asyncDispose]: async () => {
        this.claimed = false;
      },
    };
  }

  async keepView(): Promise<null> {
    return null;
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
      unsent: () => store.unsent(),
      allUnsent: () => this.outgoing,
      undelivered: () => store.undelivered(),
      decided: (orderId) => store.decided(orderId),
      decisions: (outcome) => placed(`${outcome}.jsonl`, store.decisions(outcome)),
      archived: () => null,
      edits: () => placed('edits.jsonl', store.edits()),
      movements: () => placed('movements.jsonl', store.movements()),
      facts: (log) => placed(`${log.name}.jsonl`, store.allFacts(log)),
      effects: () => this.owed.values(),
      place: { storeId: this.storeId, ends: new Map([['lines', this.history.length]]) },
      historyFrom: (from, facts) => store.historyFrom(from?.ends.get('lines') ?? 0, facts),
      whereRow: (table, name) => `${table}:${name}`,
      findings: () => this.#findings(),
      [Symbol.asyncDispose]: async () => undefined,
    };
  }

  /** What a file store would find; set by tests. */
  found: Finding[] = [];

  async *#findings(): AsyncGenerator<Finding> {
    yield* this.found;
  }

  async rebuildViews(): Promise<void> {
    if (this.owned) throw new Failure('folder_in_use', 'the folder is in use');
    this.found = this.found.filter(({ difference }) => difference?.fix !== null);
  }

  /** Reads without checking that the key was requested. */
  state(): Snapshot {
    const { users, items } = this.tables;
    return {
      at: this.clock.now(),
      storeId: this.storeId,
      seq: this.seq + 1,
      status: (user) => users.get(user)?.status,
      quantity: (item) => items.get(item)?.quantity,
      user: (user) => users.get(user),
      item: (item) => items.get(item),
      decided: (orderId) => this.byId.get(orderId),
      facts: <T extends Fact>(log: FactLog<T>, key: string) => this.factsOf(log, key),
      small: <T>({ name }: SmallTable<T>, key: string) => this.small.get(name)?.get(key) as T | undefined,
      effect: (id) => this.owed.get(id),
      position: (of) => this.stored.get(sourceName(of)),
    };
  }

  factsOf<T extends Fact>(log: FactLog<T>, key: string): readonly T[] {
    const all = (this.facts.get(log.name) ?? []) as unknown as readonly T[];
    return all.filter((fact) => fact[log.key] === key);
  }

  apply(asked: Changes): void {
    if (this.failing !== null) throw this.failing;
    const changes = this.#withEdits(asked);
    checkNewEffects(changes.effects ?? [], (id) => this.owed.has(id));
    this.seq += 1;
    for (const edit of changes.edits ?? []) {
      const logged: LoggedEdit = { ...edit, at: this.clock.now(), by: 'model', via: 'command' };
      this.log.push(logged);
      this.history.push({ kind: 'edit', seq: this.seq, at: logged.at, edit: logged });
      if (edit.kind === 'user') put(this.tables.users, edit.user, edit.after);
      else if (edit.kind === 'item') put(this.tables.items, edit.item, edit.after);
    }
    for (const decided of changes.decisions ?? []) this.#decide(decided);
    for (const movement of changes.movements ?? []) this.#move(movement);
    for (const { log, value } of changes.facts ?? []) {
      const facts = this.facts.get(log.name);
      if (facts === undefined) this.facts.set(log.name, [value]);
      else facts.push(value);
      this.history.push({ kind: 'fact', seq: this.seq, at: null, log, fact: value });
    }
    for (const { table, key, value } of changes.small ?? []) {
      const rows = this.small.get(table.name) ?? new Map<string, unknown>();
      this.small.set(table.name, rows);
      put(rows, key, value);
    }
    for (const { id, effect } of changes.effects ?? []) put(this.owed, id, effect);
    for (const position of changes.positions ?? []) this.stored.set(sourceName(position), position);
    this.outgoing.push(...(changes.outgoing ?? []));
    const isOwed = changes.effects?.some(({ effect }) => effect?.state === 'due') ?? false;
    if (isOwed || (changes.outgoing ?? []).length > 0) this.onOwed?.();
  }

  /** Adds the changes that follow from edits of users and items. */
  #withEdits(changes: Changes): Changes {
    const edits = (changes.edits ?? []).filter(changesRow);
    if (edits.length === 0 || this.onEdits === undefined) return changes;
    const { small = [], outgoing = [] } = this.onEdits(edits, this.state());
    return {
      ...changes,
      small: [...small, ...(changes.small ?? [])],
      outgoing: [...outgoing, ...(changes.outgoing ?? [])],
    };
  }

  #move(movement: Movement): void {
    const row = this.tables.items.get(movement.item);
    if (row === undefined) throw new Error(`a movement of ${movement.item}, which does not exist`);
    const onHand = row.quantity + movement.delta;
    if (!isPossible(movement, row.quantity))
      throw new Error(`${movement.item} cannot change by ${movement.delta} (${movement.cause})`);
    this.tables.items.set(movement.item, { ...row, quantity: onHand });
    const logged = { ...movement, seq: this.seq, at: this.clock.now(), onHand };
    this.movements.push(logged);
    this.history.push({ kind: 'movement', seq: this.seq, at: logged.at, movement: logged });
  }

  #decide(decided: Decided): void {
    const { order, outcome } = decided;
    if (this.byId.has(order.orderId)) throw new Error(`order ${order.orderId} is decided twice`);
    this.byId.set(order.orderId, decided);
    this.history.push({ kind: 'decision', seq: this.seq, at: decided.decidedAt, decided });
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
  readonly isShared = false;
  readonly storeId: string;
  readonly #folder: ModelFolder;

  constructor(folder: ModelFolder) {
    this.#folder = folder;
    this.storeId = folder.storeId;
  }

  async transact<R>(keys: Keys, decide: (snapshot: Snapshot) => { changes: Changes; result: R }): Promise<R> {
    const { users = [], items = [] } = keys.further?.(this.#folder.state()) ?? {};
    const asked = {
      users: new Set([...(keys.users ?? []), ...users]),
      items: new Set([...(keys.items ?? []), ...items]),
      orders: new Set(keys.orders),
      positions: new Set(Array.from(keys.positions ?? [], sourceName)),
      effects: new Set(keys.effects),
      facts: new Map(Array.from(keys.facts ?? [], ([log, of]) => [log.name, new Set(of)])),
    };
    const folder = this.#folder;
    const check = (set: ReadonlySet<string> | undefined, key: string): string => {
      if (set?.has(key) !== true) throw new Error(`${key} was not among the keys of the transaction`);
      return key;
    };
    const state = folder.state();
    const { changes, result } = decide({
      ...state,
      status: (user) => state.status(check(asked.users, user)),
      quantity: (item) => state.quantity(check(asked.items, item)),
      user: (user) => state.user(check(asked.users, user)),
      item: (item) => state.item(check(asked.items, item)),
      decided: (orderId) => state.decided(check(asked.orders, orderId)),
      facts: (log, key) => state.facts(log, check(asked.facts.get(log.name), key)),
      effect: (id) => state.effect(check(asked.effects, id)),
      position: (of) => {
        check(asked.positions, sourceName(of));
        return state.position(of);
      },
    });
    folder.apply(changes);
    return result;
  }

  async drain(
    destination: Destination,
    send: (unsent: readonly Outgoing[]) => Promise<readonly OutgoingRecord[]>,
  ): Promise<number> {
    const { outgoing, undelivered } = this.#folder;
    const waiting = outgoing.filter((one) => destinationOf(one) === destination);
    if (waiting.length === 0) return 0;
    const refused = await send(waiting);
    for (const sent of waiting) outgoing.splice(outgoing.indexOf(sent), 1);
    undelivered.push(...refused);
    return waiting.length - refused.length;
  }

  async unsentElsewhere(): Promise<number> {
    return 0;
  }

  unsent(): ReadonlyMap<Destination, number> {
    const counts = new Map<Destination, number>();
    for (const one of this.#folder.outgoing) {
      const destination = destinationOf(one);
      counts.set(destination, (counts.get(destination) ?? 0) + 1);
    }
    return counts;
  }

  async takeEffects({
    kinds,
    limit,
    leaseMs,
  }: Parameters<Store['takeEffects']>[0]): Promise<readonly Effect[]> {
    const { owed, clock } = this.#folder;
    const now = clock.now();
    const due = [...owed.values()]
      .filter(({ kind, state, dueAt }) => kinds.includes(kind) && state !== 'parked' && dueAt <= now)
      .sort((a, b) => a.dueAt - b.dueAt)
      .slice(0, limit);
    const taken = due.map((effect): Effect => ({
      ...effect,
      state: 'trying',
      dueAt: now + leaseMs,
      attempts: effect.attempts + 1,
      firstTriedAt: effect.firstTriedAt ?? now,
    }));
    if (taken.length > 0) this.#folder.apply({ effects: taken.map((effect) => ({ id: effect.id, effect })) });
    return taken;
  }

  dueInMs(kinds: readonly EffectKind[]): number | null {
    const { owed, clock } = this.#folder;
    const due = [...owed.values()].filter(({ kind, state }) => kinds.includes(kind) && state !== 'parked');
    return due.length === 0 ? null : Math.max(0, Math.min(...due.map(({ dueAt }) => dueAt)) - clock.now());
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

  async userNamed(user: string): Promise<User | undefined> {
    return this.#folder.tables.users.get(user);
  }

  async itemNamed(item: string): Promise<Item | undefined> {
    return this.#folder.tables.items.get(item);
  }

  async decided(orderId: string): Promise<Decided | undefined> {
    return this.#folder.byId.get(orderId);
  }

  async *decisions(outcome: 'accepted' | 'rejected'): AsyncGenerator<readonly Decided[]> {
    yield [...this.#folder[outcome]];
  }

  async *decisionsFromEnd(
    outcome: 'accepted' | 'rejected',
    from?: LogPlace,
  ): AsyncGenerator<readonly LineAt<Decided>[]> {
    yield fromEnd(this.#folder[outcome], from);
  }

  history(facts: readonly FactLog<never>[]): AsyncGenerator<readonly HistoryLine[]> {
    return this.historyFrom(0, facts);
  }

  salesHistory(facts: readonly FactLog<never>[]): AsyncGenerator<readonly HistoryLine[]> {
    return this.history(facts);
  }

  /** @param from the number of lines before it */
  async *historyFrom(from: number, facts: readonly FactLog<never>[]): AsyncGenerator<readonly HistoryLine[]> {
    if (from > this.#folder.history.length)
      throw new Failure('changed_since', 'history is shorter than it was');
    yield withFacts(this.#folder.history.slice(from), facts);
  }

  follow(facts: readonly FactLog<never>[], signal: AbortSignal): AsyncGenerator<readonly HistoryLine[]> {
    return this.#follow(this.#folder.history.length, facts, signal);
  }

  async *#follow(
    from: number,
    facts: readonly FactLog<never>[],
    signal: AbortSignal,
  ): AsyncGenerator<readonly HistoryLine[]> {
    for (const { history, clock } = this.#folder; !signal.aborted;) {
      const added = withFacts(history.slice(from), facts);
      from = history.length;
      if (added.length > 0) yield added;
      else await clock.sleep(200, signal);
    }
  }

  async *edits(): AsyncGenerator<readonly LoggedEdit[]> {
    yield [...this.#folder.log];
  }

  async *undelivered(): AsyncGenerator<Undelivered> {
    yield* namedUndelivered(this.#folder.undelivered);
  }

  async *movements(): AsyncGenerator<readonly LoggedMovement[]> {
    yield [...this.#folder.movements];
  }

  async facts<T extends Fact>(log: FactLog<T>, key: string): Promise<readonly T[]> {
    return this.#folder.factsOf(log, key);
  }

  async *allFacts<T extends Fact>(log: FactLog<T>): AsyncGenerator<readonly T[]> {
    yield (this.#folder.facts.get(log.name) ?? []) as unknown as readonly T[];
  }

  async *factsFromEnd<T extends Fact>(
    log: FactLog<T>,
    { field, values }: FieldValues<T>,
    from?: LogPlace,
  ): AsyncGenerator<readonly LineAt<T>[]> {
    const lines = fromEnd((this.#folder.facts.get(log.name) ?? []) as unknown as readonly T[], from);
    yield lines.filter(({ value }) => values.includes(value[field] as string));
  }

  /** Lists lines in pages of two. */
  async *stockFromEnd(log: StockLog, item: string, before?: LogPlace): AsyncGenerator<StockPiece> {
    const all = this.#folder.history.filter((line) => stockLogOf(line) === log);
    for (let end = before?.[0] ?? all.length; end > 0; end -= 2) {
      const from = Math.max(0, end - 2);
      const lines = all.slice(from, end).map((line, at) => ({ line, behind: [from + at + 1] }));
      const { seq = null, at = null } = all[from] ?? {};
      yield {
        lines: lines.filter(({ line }) => namesItem(line, item)).reverse(),
        first: { seq, at },
        begin: [from],
      };
    }
  }

  async small<T>({ name }: SmallTable<T>): Promise<ReadonlyMap<string, T>> {
    return new Map(this.#folder.small.get(name)) as ReadonlyMap<string, T>;
  }

  async effects(ids?: readonly string[]): Promise<readonly Effect[]> {
    const { owed } = this.#folder;
    return ids === undefined ? [...owed.values()] : ids.flatMap((id) => owed.get(id) ?? []);
  }

  async positions(): Promise<readonly StoredPosition[]> {
    return [...this.#folder.stored.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#folder.owned = false;
  }
}

function stockLogOf(line: HistoryLine): StockLog | null {
  if (line.kind === 'edit') return 'edits';
  if (line.kind === 'decision') return line.decided.outcome.kind === 'accepted' ? 'accepted' : null;
  return line.kind === 'movement' ? 'movements' : null;
}

function namesItem(line: HistoryLine, item: string): boolean {
  if (line.kind === 'edit') return line.edit.kind === 'item' && line.edit.item === item;
  if (line.kind === 'decision') return line.decided.order.items.some((one) => one.item === item);
  return line.kind === 'movement' && line.movement.item === item;
}

/** One message for each id and content; the first of an id has that id. */
function namedUndelivered(records: readonly OutgoingRecord[]): Undelivered[] {
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

function sourceName({ processor, topic, partition }: Source): string {
  return `${processor} ${topic}/${partition}`;
}

function put<Row>(table: Map<string, Row>, name: string, row: Row | null): void {
  if (row === null) table.delete(name);
  else table.set(name, row);
}

function changesRow(edit: Edit): boolean {
  if (edit.kind !== 'user' && edit.kind !== 'item') return false;
  return JSON.stringify(edit.before) !== JSON.stringify(edit.after);
}

function withFacts(
  history: readonly HistoryLine[],
  facts: readonly FactLog<never>[],
): readonly HistoryLine[] {
  return history.filter((line) => line.kind !== 'fact' || facts.some(({ name }) => name === line.log.name));
}

function fromEnd<T>(log: readonly T[], [last]: LogPlace = [log.length - 1]): readonly LineAt<T>[] {
  return log
    .map((value, at) => ({ value, place: [at] }))
    .slice(0, (last ?? -1) + 1)
    .reverse();
}
