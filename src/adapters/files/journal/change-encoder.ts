import type { Changes } from '../../../ports/store.ts';
import { DecisionLines } from '../logs/decision-lines.ts';
import { editRenderer, type EditStamp } from '../logs/edit-line.ts';
import type { Commit } from './commit.ts';
import { Sales } from '../tables/sales.ts';
import { outgoingLine, type StateLine } from '../tables/state-line.ts';
import type { Tables } from '../tables/tables.ts';
import { textBytes } from '../logs/text-bytes.ts';

/** Makes of the changes that a transaction wants the commit that the journal takes. */
export class ChangeEncoder {
  readonly #tables: Tables;
  readonly #orders = new DecisionLines();
  readonly #rejections = new DecisionLines();
  readonly #sales: Sales;

  constructor(tables: Tables) {
    this.#tables = tables;
    this.#sales = new Sales(tables.inventory);
  }

  /** @returns null when nothing changes; valid until the next call, whose lines use the same buffers */
  toCommit(changes: Changes, stamp: EditStamp): Commit | null {
    const lines: StateLine[] = [];
    const { edits = [] } = changes;
    for (const edit of edits) {
      if (edit.kind === 'user') lines.push(['rows', 'users', [[edit.user, edit.after]]]);
      if (edit.kind === 'item') lines.push(['rows', 'inventory', [[edit.item, edit.after]]]);
    }
    this.#encodeDecisions(changes);
    for (const position of changes.positions ?? []) lines.push(['position', position]);
    let number = this.#tables.lastNumber;
    for (const record of changes.outgoing ?? []) lines.push(outgoingLine({ ...record, number: ++number }));
    if (lines.length === 0 && edits.length === 0 && (changes.decisions ?? []).length === 0) return null;
    return {
      lines,
      sales: this.#sales,
      orders: this.#orders,
      rejections: this.#rejections,
      // Hardly any batch of orders has edits.
      logs: edits.length === 0 ? {} : { edits: textBytes(edits.map(editRenderer(stamp))) },
    };
  }

  #encodeDecisions({ edits = [], decisions = [] }: Changes): void {
    this.#orders.clear();
    this.#rejections.clear();
    const edited = new Map<string, number>();
    for (const edit of edits) {
      // What is removed cannot be sold, even if it is added again: it is another row then.
      if (edit.kind !== 'item' || Number.isNaN(edited.get(edit.item))) continue;
      edited.set(edit.item, edit.after?.quantity ?? NaN);
    }
    this.#sales.begin(edited);
    for (const decided of decisions) {
      if (decided.outcome.kind === 'rejected') {
        this.#rejections.add(decided);
        continue;
      }
      this.#orders.add(decided);
      const { orderId, items } = decided.order;
      for (const { item, quantity } of items) this.#sales.sell(item, quantity, orderId);
    }
  }
}
