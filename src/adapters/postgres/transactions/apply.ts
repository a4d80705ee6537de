import type { Edit, LoggedEdit } from '../../../domain/edit.ts';
import { checkNewEffects } from '../../../domain/effects.ts';
import { isPossible, type Movement } from '../../../domain/movement.ts';
import type { Item } from '../../../domain/tables.ts';
import type { Decided } from '../../../domain/orders/decided.ts';
import type { OwnOptions } from '../../../ports/owner.ts';
import type {
  Changes,
  Keys,
  LoggedMovement,
  Outgoing,
  Snapshot,
  StoredPosition,
} from '../../../ports/store.ts';
import { changesRow, type EditFrom, type EditToLog } from '../rows/edits.ts';
import { sourceName, type Loaded } from './loaded.ts';

/** What a commit will write, besides the rows that are changed in Loaded. */
export class Writes {
  readonly decisions: Decided[] = [];
  readonly decisionSeqs: number[] = [];
  readonly decisionOrdinals: number[] = [];
  readonly edits: EditToLog[] = [];
  readonly movements: (LoggedMovement & { readonly ordinal: number })[] = [];
  readonly facts: { seq: number; ordinal: number; log: string; key: string; value: string }[] = [];
  readonly outgoing: Outgoing[] = [];
  /** The shard of each message, once they are written. */
  shards: readonly number[] = [];
  readonly positions = new Map<string, StoredPosition>();
  /** Names of changed rows; for items in `quantities`, only the quantity has changed. */
  readonly users = new Set<string>();
  readonly items = new Set<string>();
  readonly quantities = new Set<string>();
  /** Rows that were removed, though they may exist again. */
  readonly removedUsers = new Set<string>();
  readonly removedItems = new Set<string>();
  readonly effects = new Set<string>();
  /** Edits by other processes that are applied. */
  readonly news: LoggedEdit[] = [];
  leavesWork = false;
}

/** The transaction that changes belong to. */
export interface Stamp extends EditFrom {
  readonly seq: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly storeId: string;
  /** Whether an owner has yet to apply the edits. The consequences of an owner's own edits are in the same commit. */
  readonly isNews: boolean;
}

/** What changes touch, whether or not it is among the transaction's keys. */
export function keysOf(changes: Changes): Omit<Keys, 'further'> {
  const edits = changes.edits ?? [];
  return {
    users: edits.flatMap((edit) => (edit.kind === 'user' ? [edit.user] : [])),
    items: [
      ...edits.flatMap((edit) => (edit.kind === 'item' ? [edit.item] : [])),
      ...(changes.movements ?? []).map(({ item }) => item),
      ...(changes.decisions ?? []).flatMap(({ outcome, order }) =>
        outcome.kind === 'accepted' ? order.items.map(({ item }) => item) : [],
      ),
    ],
    orders: (changes.decisions ?? []).map(({ order }) => order.orderId),
    effects: (changes.effects ?? []).map(({ id }) => id),
  };
}

/**
 * Makes changes in `loaded`, and notes in `writes` what to write.
 *
 * @throws Error if they contradict the state: a bug in the code that decided them
 */
export function apply(
  changes: Changes,
  stamp: Stamp,
  { loaded, writes, onEdits }: { loaded: Loaded; writes: Writes; onEdits: OwnOptions['onEdits'] },
): void {
  checkNewEffects(changes.effects ?? [], (id) => loaded.effects.get(id) !== undefined);
  const edits = changes.edits ?? [];
  const events = eventsOf(edits, loaded.snapshot(stamp), onEdits);
  for (const [ordinal, edit] of edits.entries()) {
    writes.edits.push({ ...stamp, ordinal, edit });
    applyEdit(edit, loaded, writes);
  }
  for (const [ordinal, decided] of (changes.decisions ?? []).entries()) {
    decide(decided, loaded, writes);
    writes.decisions.push(decided);
    writes.decisionSeqs.push(stamp.seq);
    writes.decisionOrdinals.push(ordinal);
  }
  for (const [ordinal, movement] of (changes.movements ?? []).entries()) {
    const onHand = move(movement, loaded, writes);
    const { item, delta, cause, orderId, eventId } = movement;
    const [seq, at] = [stamp.seq, stamp.at];
    writes.movements.push({ item, delta, cause, orderId, eventId, seq, ordinal, at, onHand });
  }
  for (const [ordinal, { log, value }] of (changes.facts ?? []).entries()) {
    const key = String(value[log.key]);
    loaded.facts.get(log.name)?.get(key)?.push(value);
    writes.facts.push({ seq: stamp.seq, ordinal, log: log.name, key, value: JSON.stringify(value) });
  }
  for (const change of [...(events.small ?? []), ...(changes.small ?? [])]) loaded.small.change(change);
  for (const { id, effect } of changes.effects ?? []) {
    loaded.effects.set(id, effect ?? undefined);
    writes.effects.add(id);
    if (effect?.state === 'due') writes.leavesWork = true;
  }
  for (const position of changes.positions ?? []) {
    loaded.positions.set(sourceName(position), position);
    writes.positions.set(sourceName(position), position);
  }
  send([...(events.outgoing ?? []), ...(changes.outgoing ?? [])], writes);
}

/** The consequences of edits of rows. @param state before the edits */
export function eventsOf(
  edits: readonly Edit[],
  state: Snapshot,
  onEdits: OwnOptions['onEdits'],
): Pick<Changes, 'small' | 'outgoing'> {
  const changing = edits.filter(changesRow);
  return onEdits === undefined || changing.length === 0 ? {} : onEdits(changing, state);
}

export function send(outgoing: readonly Outgoing[], writes: Writes): void {
  if (outgoing.length === 0) return;
  for (const one of outgoing) writes.outgoing.push(one);
  writes.leavesWork = true;
}

function applyEdit(edit: Edit, { users, items }: Loaded, writes: Writes): void {
  if (edit.kind === 'user') {
    if (edit.after === null) writes.removedUsers.add(edit.user);
    users.set(edit.user, edit.after ?? undefined);
    writes.users.add(edit.user);
  } else if (edit.kind === 'item') {
    if (edit.after === null) writes.removedItems.add(edit.item);
    items.set(edit.item, edit.after ?? undefined);
    writes.items.add(edit.item);
  }
}

function decide(decided: Decided, loaded: Loaded, writes: Writes): void {
  const { order, outcome } = decided;
  if (loaded.orders.get(order.orderId) !== undefined)
    throw new Error(`order ${order.orderId} is decided twice`);
  loaded.orders.set(order.orderId, decided);
  if (outcome.kind === 'rejected') return;
  for (const { item, quantity } of order.items) {
    const row = loaded.items.get(item);
    if (row === undefined || row.quantity < quantity) throw new Error(`${order.orderId} oversells ${item}`);
    loaded.items.set(item, withQuantity(row, row.quantity - quantity));
    writes.quantities.add(item);
  }
}

function move(movement: Movement, loaded: Loaded, writes: Writes): number {
  const { item, delta } = movement;
  const row = loaded.items.get(item);
  if (row === undefined) throw new Error(`a movement of ${item}, which does not exist`);
  const quantity = row.quantity + delta;
  if (!isPossible(movement, row.quantity))
    throw new Error(`${item} cannot change by ${delta} (${movement.cause})`);
  loaded.items.set(item, withQuantity(row, quantity));
  writes.quantities.add(item);
  return quantity;
}

/** Written out: a spread for each line of an order takes several times as long. */
function withQuantity({ item, name, price, reorderLevel, extra }: Item, quantity: number): Item {
  return { item, quantity, name, price, reorderLevel, extra };
}
