import type { Decided } from '../../domain/orders/decided.ts';
import { difference, type Difference } from '../../domain/difference.ts';
import type { LoggedEdit } from '../../domain/edit.ts';
import { totalsByItem } from '../../domain/orders/order.ts';
import type { Movement } from '../../domain/movement.ts';
import { detailsByColumn, type Item } from '../../domain/tables.ts';

type ItemEdit = Extract<LoggedEdit, { kind: 'item' }>;

interface Account {
  /** On hand according to the edits and sales so far; null: the item does not exist. */
  onHand: number | null;
  /** What edits added. Less what was sold, it is the stock on hand if the books balance. */
  putIn: number;
  sold: number;
  /** What movements added, less what they took. */
  moved: number;
  /** Only sums are compared: movements go both ways, and for archived orders only the sum is known. */
  isSummed: boolean;
  /** The item after its last edit. */
  row: Item | null;
  /** Edits that start from another quantity than this account has, because sales come before them. */
  waiting: { readonly edit: ItemEdit; readonly where: string }[];
}

/**
 * Follows the stock of every item through edits and sales, which are in separate logs. Ordering them needs no clock:
 * sales only lower stock, so an edit that starts from the current sum has no sale before it. For items with movements
 * or archived sales, only the sums are compared.
 */
export class StockBooks {
  readonly #accounts = new Map<string, Account>();
  readonly #report: (difference: Difference) => void;

  constructor(report: (difference: Difference) => void) {
    this.#report = report;
  }

  edit(edit: ItemEdit, where: string): void {
    const account = this.#account(edit.item);
    const isInOrder = account.isSummed || begins(edit, account);
    if (account.waiting.length === 0 && isInOrder) apply(edit, account);
    else if (account.waiting.length === 0 && isOvertaken(edit, account)) account.row = edit.after;
    else account.waiting.push({ edit, where });
  }

  /** To be called before all edits and sales. */
  move({ item, delta }: Pick<Movement, 'item' | 'delta'>): void {
    const account = this.#account(item);
    account.moved += delta;
    account.isSummed = true;
  }

  /** Adds what archived orders took. To be called before all edits and sales. */
  carry(item: string, sold: number): void {
    const account = this.#account(item);
    account.sold += sold;
    account.isSummed = true;
  }

  /** Whether the sale matches the accounts now; if not, edits that come before it may still be unread. */
  isReadyFor({ order, outcome }: Decided): boolean {
    return order.items.every(({ item }, at) => {
      const account = this.#accounts.get(item);
      return account?.onHand === outcome.stock[at] || account?.isSummed === true;
    });
  }

  sale(decided: Decided, file: string, line: number): void {
    const { items } = decided.order;
    const only = items.length === 1 ? items[0] : undefined;
    // Most orders have one line, and need no totals.
    if (only !== undefined) {
      this.#sell(only.item, only.quantity, decided, file, line);
      return;
    }
    for (const [item, quantity] of totalsByItem(items)) this.#sell(item, quantity, decided, file, line);
  }

  #sell(item: string, quantity: number, { order, outcome }: Decided, file: string, line: number): void {
    const account = this.#account(item);
    const at = order.items.findIndex((candidate) => candidate.item === item);
    const stock = outcome.stock[at] ?? null;
    const { orderId } = order;
    const where = (): string => `${file}:${line}`;
    if (!account.isSummed && account.onHand !== stock) {
      const [says, was] = [stock ?? 'no', account.onHand ?? 'none'];
      const message = `${where()}: order ${orderId} says that ${says} ${item} were on hand; according to earlier lines it was ${was}`;
      const about = { item, orderId, expected: account.onHand, actual: stock, message };
      this.#report(difference('stock_before_mismatch', where(), about));
    }
    if (!Number.isSafeInteger(quantity) || quantity < 1 || quantity > (stock ?? 0)) {
      const message = `${where()}: order ${orderId} was accepted for ${quantity} ${item}, but ${stock ?? 'none'} were on hand`;
      const about = { item, orderId, expected: stock, actual: quantity, message };
      this.#report(difference('oversold', where(), about));
    }
    // Continues from the quantity in the line, so that one wrong line is one difference.
    account.onHand = (stock ?? 0) - quantity;
    account.sold += quantity;
    if (account.waiting.length > 0) drain(account);
  }

  /** Edits that still wait are differences, and the table must agree with the accounts. */
  close(rows: Iterable<Item>, whereRow: (item: string) => string): void {
    for (const [item, account] of this.#accounts) this.#closeAccount(item, account);
    const missing = new Set(this.#accounts.keys());
    for (const row of rows) {
      missing.delete(row.item);
      this.#compare(row.item, row, whereRow);
    }
    for (const item of missing) {
      if (this.#accounts.get(item)?.row !== null) this.#compare(item, null, whereRow);
    }
  }

  get size(): number {
    return this.#accounts.size;
  }

  #closeAccount(item: string, account: Account): void {
    for (let next = account.waiting.shift(); next !== undefined; next = account.waiting.shift()) {
      const { edit, where } = next;
      const before = edit.before?.quantity ?? null;
      this.#report(
        difference('edit_mismatch', where, {
          item,
          expected: account.onHand,
          actual: before,
          message: `${where}: an edit of ${item} starts from ${before ?? 'none'}; according to earlier lines it was ${account.onHand ?? 'none'}`,
        }),
      );
      apply(edit, account);
      drain(account);
    }
  }

  #compare(item: string, found: Item | null, whereRow: (item: string) => string): void {
    const account = this.#accounts.get(item);
    const moved = account?.moved ?? 0;
    const expected =
      account === undefined || account.row === null ? null : account.putIn - account.sold + moved;
    const actual = found?.quantity ?? null;
    if (expected !== actual) {
      const where = whereRow(item);
      this.#report(
        difference('stock_mismatch', where, {
          item,
          expected,
          actual,
          message: `${item}: ${account?.putIn ?? 0} were added and ${account?.sold ?? 0} sold${movedInWords(moved)}, which leaves ${expected ?? 'no such item'}; on hand: ${actual ?? 'none'}`,
        }),
      );
    }
    const row = account?.row ?? null;
    if (row === null || found === null || sameDetails(row, found)) return;
    this.#report(
      difference('item_mismatch', whereRow(item), {
        item,
        expected: inShort(row),
        actual: inShort(found),
        message: `${item} is ${inShort(found)}; its last edit set it to ${inShort(row)}`,
      }),
    );
  }

  #account(item: string): Account {
    let account = this.#accounts.get(item);
    if (account === undefined) {
      account = { onHand: null, putIn: 0, sold: 0, moved: 0, isSummed: false, row: null, waiting: [] };
      this.#accounts.set(item, account);
    }
    return account;
  }
}

function movedInWords(moved: number): string {
  if (moved === 0) return '';
  return moved < 0 ? `, and ${-moved} taken by movements` : `, and ${moved} added by movements`;
}

function begins(edit: ItemEdit, account: Account): boolean {
  return (edit.before?.quantity ?? null) === account.onHand;
}

/**
 * An edit that leaves the stock unchanged, such as a new price, may be read after later sales were applied. Its
 * quantity is then between the quantity that the last edit left and the stock on hand.
 */
function isOvertaken({ before, after }: ItemEdit, { row, onHand }: Account): boolean {
  if (before === null || row === null || onHand === null || before.quantity !== after?.quantity) return false;
  return onHand < before.quantity && before.quantity <= row.quantity;
}

function apply({ before, after }: ItemEdit, account: Account): void {
  account.putIn += (after?.quantity ?? 0) - (before?.quantity ?? 0);
  account.onHand = after?.quantity ?? null;
  account.row = after;
}

function drain(account: Account): void {
  for (
    let next = account.waiting[0];
    next !== undefined && begins(next.edit, account);
    next = account.waiting[0]
  ) {
    account.waiting.shift();
    apply(next.edit, account);
  }
}

function sameDetails(a: Item, b: Item): boolean {
  return inShort(a) === inShort(b);
}

function inShort(item: Item): string {
  return JSON.stringify(detailsByColumn(item));
}
