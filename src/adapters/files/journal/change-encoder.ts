import type { StateChanges } from '../../../domain/state.ts';
import { checkNewEffects } from '../../../domain/effects.ts';
import type { Fact } from '../../../domain/facts.ts';
import type { Edit } from '../../../domain/edit.ts';
import type { Movement } from '../../../domain/movement.ts';
import type { Changes } from '../../../ports/store.ts';
import type { LogName } from '../layout.ts';
import { DecisionLines } from '../logs/decision-lines.ts';
import { editRenderer, type EditStamp } from '../logs/edit-line.ts';
import { renderFact } from '../logs/fact-lines.ts';
import { renderMovement } from '../logs/movement-line.ts';
import { TextBytes, textBytes } from '../logs/text-bytes.ts';
import { Sales } from '../tables/sales.ts';
import { smallLines, type StateLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';
import type { Commit, FactLines } from './commit.ts';

/** The facts of one log among those of a transaction. */
interface FoundFacts {
  readonly keys: string[];
  readonly starts: number[];
  readonly facts: Fact[];
  readonly lines: TextBytes;
  sizeBytes: number;
}

/** The consequences of edits, as `OwnOptions.onEdits` returns them. */
export type EditEvents = Pick<StateChanges, 'small' | 'outgoing'>;

/** Turns the changes of a transaction into the commit that is journalled. */
export class ChangeEncoder {
  readonly #tables: Tables;
  readonly #orders = new DecisionLines();
  readonly #rejections = new DecisionLines();
  readonly #sales: Sales;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#sales = new Sales(tables.inventory);
  }

  /** Call this when the previous results are no longer needed. */
  clear(): void {
    this.#orders.clear();
    this.#rejections.clear();
    this.#sales.clear();
  }

  /**
   * @param events the consequences of the edits among the changes
   * @returns null when nothing changes; its bytes are valid until `clear`, all else until the next call
   */
  toCommit(changes: Changes, stamp: EditStamp, events: EditEvents = {}): Commit | null {
    const lines: StateLine[] = [];
    const { edits = [], decisions = [], movements = [] } = changes;
    for (const edit of edits) {
      if (edit.kind === 'user') lines.push(['rows', 'users', [[edit.user, edit.after]]]);
      if (edit.kind === 'item') lines.push(['rows', 'inventory', [[edit.item, edit.after]]]);
    }
    this.#sales.begin(editedStock(edits));
    this.#encodeDecisions(changes, stamp.seq);
    const logs: Partial<Record<LogName, readonly Uint8Array[]>> = {};
    // Hardly any batch of orders has any of these.
    if (edits.length > 0) logs.edits = textBytes(edits.map(editRenderer(stamp)));
    if (movements.length > 0) logs.movements = textBytes(this.#move(movements, stamp));
    const facts = this.#encodeFacts(changes.facts ?? [], stamp.seq, lines);
    for (const position of changes.positions ?? []) lines.push(['position', position]);
    // Those of edits come first, because edits take effect first.
    lines.push(...smallLinesOf(events), ...smallLinesOf(changes));
    const outgoing = [...(events.outgoing ?? []), ...(changes.outgoing ?? [])];
    const { effects = [] } = changes;
    checkNewEffects(effects, (id) => this.#tables.effects.has(id));
    for (const { id, effect } of effects) lines.push(['effect', id, effect]);
    const counts = [lines, decisions, facts, outgoing].map(({ length }) => length);
    if (Math.max(...counts) === 0 && Object.keys(logs).length === 0) return null;
    const batch = { sales: this.#sales, orders: this.#orders, rejections: this.#rejections };
    return { seq: stamp.seq, lines, facts, outgoing, logs, ...batch };
  }

  /** Takes the accepted quantities from stock. @throws Error when less is on hand: a bug in the decision */
  #encodeDecisions({ decisions = [] }: Changes, seq: number): void {
    this.#orders.begin();
    this.#rejections.begin();
    for (const decided of decisions) {
      if (decided.outcome.kind === 'rejected') {
        this.#rejections.add(decided, seq);
        continue;
      }
      this.#orders.add(decided, seq);
      const { orderId, items } = decided.order;
      for (const { item, quantity } of items) {
        if (Number.isNaN(this.#sales.take(item, quantity))) {
          throw new Error(`order ${orderId} is accepted for ${quantity} ${item}, which are not in stock`);
        }
      }
    }
  }

  /** Yields the lines of movements. @throws Error for an impossible movement: a bug in the code that made it */
  *#move(movements: readonly Movement[], { seq, at }: EditStamp): Generator<string> {
    for (const movement of movements) {
      const onHand = this.#sales.move(movement);
      if (!Number.isSafeInteger(onHand)) {
        throw new Error(`${movement.item} cannot change by ${movement.delta} (${movement.cause})`);
      }
      yield renderMovement(movement, { seq, at, onHand });
    }
  }

  /** @throws Error for a log that has another key field: a bug in its declaration */
  #encodeFacts(facts: NonNullable<Changes['facts']>, seq: number, lines: StateLine[]): FactLines[] {
    const found = new Map<string, FoundFacts>();
    for (const { log, value } of facts) {
      const known = this.#tables.facts.get(log.name)?.key;
      if (known !== undefined && known !== log.key) {
        throw new Error(`the facts of ${log.name} have the key ${known}, not ${log.key}`);
      }
      let ofLog = found.get(log.name);
      if (ofLog === undefined) {
        found.set(
          log.name,
          (ofLog = { keys: [], starts: [], facts: [], lines: new TextBytes(), sizeBytes: 0 }),
        );
        if (known === undefined) lines.push(['facts', log.name, log.key]);
      }
      ofLog.keys.push(String(value[log.key]));
      ofLog.facts.push(value);
      ofLog.starts.push(ofLog.sizeBytes);
      ofLog.sizeBytes += ofLog.lines.add(renderFact(value, log.key, seq));
    }
    return Array.from(found, ([name, { keys, starts, facts, lines }]) => {
      return { name, keys, starts, facts, parts: lines.end() };
    });
  }
}

/** By item, the stock on hand after the edits. */
function editedStock(edits: readonly Edit[]): ReadonlyMap<string, number> {
  const edited = new Map<string, number>();
  for (const edit of edits) {
    // An item that was removed cannot be sold, even if it was added again as another row.
    if (edit.kind !== 'item' || Number.isNaN(edited.get(edit.item))) continue;
    edited.set(edit.item, edit.after?.quantity ?? NaN);
  }
  return edited;
}

/** The lines that change small tables. */
export function* smallLinesOf({ small = [] }: Pick<Changes, 'small'>): Generator<StateLine> {
  const byTable = new Map<string, [string, unknown][]>();
  for (const { table, key, value } of small) {
    const rows = byTable.get(table.name);
    if (rows === undefined) byTable.set(table.name, [[key, value]]);
    else rows.push([key, value]);
  }
  for (const [name, rows] of byTable) yield* smallLines(name, rows);
}
