import { isPossible, type Movement } from '../../../domain/movement.ts';
import type { Item } from '../../../domain/tables.ts';
import type { Table } from './table.ts';

const FIRST_BYTES = 16 * 1024;

/**
 * What a batch of accepted orders leaves on hand, by item: the commit's own account, independent of what the decisions
 * were based on. One object serves all batches; its content is valid until `begin`.
 */
export class Sales {
  readonly #table: Table<Item>;
  /** Places in the order of their first sale. */
  readonly #places: number[] = [];
  /** By place; valid where `#batches` has the number of this batch. */
  #left = new Float64Array(0);
  #batches = new Float64Array(0);
  #batch = 0;
  #starts: ReadonlyMap<string, number> = new Map();
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #at = 0;

  constructor(table: Table<Item>) {
    this.#table = table;
  }

  /** Call this when the rendered line is no longer needed. */
  clear(): void {
    this.#at = 0;
  }

  /** @param starts by item: the stock before the sales, where it differs from the table */
  begin(starts: ReadonlyMap<string, number>): void {
    this.#starts = starts;
    this.#places.length = 0;
    this.#batch += 1;
    if (this.#left.length >= this.#table.rows.places) return;
    // With some spare room, so that adding rows one by one does not reallocate it each time.
    const places = this.#table.rows.places + (this.#table.rows.places >> 3);
    this.#left = new Float64Array(places);
    this.#batches = new Float64Array(places);
  }

  /**
   * Takes a quantity from the stock.
   *
   * @returns what is left; NaN, and nothing is taken, when less is on hand or the item does not exist: a bug in the
   * caller
   */
  take(item: string, quantity: number): number {
    const place = this.#placeOf(item);
    const left = this.#left[place] ?? NaN;
    // Written so that NaN, an item that does not exist, is caught too.
    if (!(left >= quantity)) return NaN;
    this.#left[place] = left - quantity;
    return left - quantity;
  }

  /** Like `take`, for any possible movement. */
  move(movement: Movement): number {
    const place = this.#placeOf(movement.item);
    const left = this.#left[place] ?? NaN;
    if (!isPossible(movement, left)) return NaN;
    this.#left[place] = left + movement.delta;
    return left + movement.delta;
  }

  /** @returns -1: the item does not exist */
  #placeOf(item: string): number {
    const place = this.#table.rows.placeOf(item) ?? -1;
    if (place !== -1 && this.#batches[place] !== this.#batch) {
      this.#batches[place] = this.#batch;
      this.#left[place] = this.#starts.get(item) ?? this.#table.rows.valueAt(place);
      this.#places.push(place);
    }
    return place;
  }

  get isEmpty(): boolean {
    return this.#places.length === 0;
  }

  /** Calls `take` with what is left at each place that was sold from. */
  forEach(take: (place: number, quantity: number) => void): void {
    for (const place of this.#places) take(place, this.#left[place] ?? NaN);
  }

  /** Its state line, `["quantities",["book",8,…]]`; valid until `clear`. */
  render(): Buffer {
    let text = '["quantities",[';
    let separator = '';
    for (const place of this.#places) {
      text += `${separator}"${this.#table.rows.nameAt(place) ?? ''}",${this.#left[place]}`;
      separator = ',';
    }
    text += ']]\n';
    if (this.#buffer.byteLength - this.#at < text.length) {
      this.#buffer = Buffer.allocUnsafe(Math.max(text.length * 2, this.#buffer.byteLength));
      this.#at = 0;
    }
    const from = this.#at;
    this.#at += this.#buffer.write(text, from, 'latin1');
    return this.#buffer.subarray(from, this.#at);
  }
}
