import type { EditVia } from '../../domain/edit.ts';
import type { Changes } from '../../ports/store.ts';
import { DecisionLines } from './decision-lines.ts';
import { renderEdit } from './edit-line.ts';
import type { Commit } from './ledger.ts';
import { outgoingLine, type StateLine, type Tables } from './tables.ts';

/** Makes of the changes that a transaction wants the commit that the journal takes. */
export class ChangeEncoder {
  readonly #tables: Tables;
  readonly #orders = new DecisionLines();
  readonly #rejections = new DecisionLines();

  constructor(tables: Tables) {
    this.#tables = tables;
  }

  /** @returns null when nothing changes; valid until the next call, whose lines use the same buffers */
  toCommit(changes: Changes, stamp: { at: number; by: string; via: EditVia }): Commit | null {
    const lines: StateLine[] = [];
    let edits = '';
    for (const edit of changes.edits ?? []) {
      edits += renderEdit({ ...edit, ...stamp });
      if (edit.kind === 'user') lines.push(['user', edit.user, edit.after]);
      if (edit.kind === 'item') lines.push(['item', edit.item, edit.after]);
    }
    const quantities = this.#encodeDecisions(changes);
    if (quantities.length > 0) lines.push(['quantities', quantities]);
    for (const position of changes.positions ?? []) lines.push(['position', position]);
    let number = this.#tables.lastNumber;
    for (const record of changes.outgoing ?? []) lines.push(outgoingLine({ ...record, number: ++number }));
    if (lines.length === 0 && edits === '' && (changes.decisions ?? []).length === 0) return null;
    return {
      lines,
      orders: this.#orders,
      rejections: this.#rejections,
      logs: { edits: Buffer.from(edits) },
    };
  }

  /** @returns item, quantity, item, quantity, … after all sales */
  #encodeDecisions(changes: Changes): (string | number)[] {
    this.#orders.clear();
    this.#rejections.clear();
    const left = new Map<string, { quantity: number }>();
    const edited = new Map<string, number>();
    for (const edit of changes.edits ?? []) {
      if (edit.kind === 'item') edited.set(edit.item, edit.after?.quantity ?? NaN);
    }
    const { rows } = this.#tables.inventory;
    for (const decided of changes.decisions ?? []) {
      if (decided.outcome.kind === 'rejected') {
        this.#rejections.add(decided);
        continue;
      }
      this.#orders.add(decided);
      for (const { item, quantity } of decided.order.items) {
        let onHand = left.get(item);
        if (onHand === undefined) {
          onHand = { quantity: edited.get(item) ?? rows.get(item)?.quantity ?? NaN };
          left.set(item, onHand);
        }
        // Written so that NaN, an item that does not exist, is caught too.
        if (!(onHand.quantity >= quantity)) {
          const wanted = `${quantity} ${item} of ${onHand.quantity}`;
          throw new Error(`order ${decided.order.orderId} is accepted for ${wanted}`);
        }
        onHand.quantity -= quantity;
      }
    }
    const quantities: (string | number)[] = [];
    for (const [item, { quantity }] of left) quantities.push(item, quantity);
    return quantities;
  }
}
