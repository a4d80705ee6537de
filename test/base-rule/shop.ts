import type { FileClues } from '../../src/adapters/files/edits/base-rule.ts';
import type { HandSave, KnownVersion, Undo } from '../../src/adapters/files/edits/known-version.ts';
import { mergedRow, sameRow } from '../../src/adapters/files/edits/merge-rows.ts';
import { INVENTORY, type CsvTable } from '../../src/adapters/files/tables/columns.ts';
import type { Item } from '../../src/domain/tables.ts';

/*
 * An inventory of a shop as its store knows it: the table in force, and the versions of the file that were on disk,
 * one a second while anything sells. Who has read which of them is known too.
 */

export type Rows = ReadonlyMap<string, Item>;

interface Written {
  /** From this version to the one before it. */
  readonly undo: Undo<Item>;
  readonly at: number;
  readonly hand: HandSave | null;
  isRead: boolean;
}

export const COLUMNS = ['item', 'quantity', 'price', 'reorder_level'];

/** @returns a number from 0 to 1 */
export type Draw = () => number;

export const below = (draw: Draw, bound: number): number => Math.floor(draw() * bound);
/** From `least` to `most`, small ones as likely as large ones. */
export const spread = (draw: Draw, least: number, most: number): number => least * (most / least) ** draw();

export class Shop {
  readonly draw: Draw;
  nowMs = 1_800_000_000_000;
  /** Orders a second. */
  readonly rate: number;
  #rows: Map<string, Item>;
  /** By name, how well it sells; they sum up to 1. */
  #popularity: [string, number][] = [];
  #versions: Written[] = [];
  /** From the table to the newest version. */
  #undo = new Map<string, Item | null>();
  /** Programs that read the file and save nothing: a mean time between two, milliseconds. */
  readonly #strangersEveryMs: number;
  #added = 0;

  constructor(draw: Draw, size: number, rate: number) {
    this.draw = draw;
    this.rate = rate;
    this.#strangersEveryMs = 15 * 60_000;
    this.#rows = new Map();
    for (let index = 0; index < size; index++) this.#put(this.newItem());
    this.#write(null);
  }

  newItem(): Item {
    const { draw } = this;
    const item = `item-${++this.#added}`;
    const price = (1 + below(draw, 4_000) / 100).toFixed(2);
    const reorderLevel = below(draw, 3) === 0 ? null : 5 * (1 + below(draw, 5));
    return { item, quantity: 50 + below(draw, 1_000), name: null, price, reorderLevel, extra: {} };
  }

  #put(row: Item): void {
    this.#rows.set(row.item, row);
    this.#popularity = [];
  }

  /** As a store has it, for the rule. */
  get table(): CsvTable<Item> {
    return { kind: INVENTORY, columns: COLUMNS, rows: this.#rows };
  }

  /** What is in the file: the newest version. */
  get file(): Map<string, Item> {
    const rows = new Map<string, Item>();
    for (const [name, row] of this.#rows) {
      const was = this.#undo.get(name);
      if (was !== null) rows.set(name, was ?? row);
    }
    for (const [name, row] of this.#undo) if (row !== null && !rows.has(name)) rows.set(name, row);
    return rows;
  }

  /** @param hasMarks whether the file system shows what was read */
  known(hasMarks: boolean): KnownVersion<Item>[] {
    const known: KnownVersion<Item>[] = [];
    let undo: Undo<Item> = this.#undo;
    for (let at = this.#versions.length - 1; at >= 0; at--) {
      const version = this.#versions[at];
      if (version === undefined) break;
      const unread = hasMarks && !version.isRead && version.hand === null;
      known.push({ undo, at: version.at, unread, hand: version.hand });
      undo = version.undo;
    }
    return known;
  }

  clues(): FileClues {
    return { nowMs: this.nowMs, savedMs: this.nowMs, isEnded: true, isComplete: true };
  }

  /** Somebody reads the file. */
  read(): void {
    const newest = this.#versions.at(-1);
    if (newest !== undefined) newest.isRead = true;
  }

  /** Time passes, and items sell. */
  pass(ms: number): void {
    const until = this.nowMs + ms;
    let strangerAt = this.nowMs - Math.log(1 - this.draw()) * this.#strangersEveryMs;
    while (this.nowMs < until) {
      const orders = poisson(this.draw, this.rate);
      for (let order = 0; order < orders; order++) this.#sell();
      this.nowMs += 1_000;
      if (this.#undo.size > 0) this.#write(null);
      if (this.nowMs < strangerAt) continue;
      this.read();
      strangerAt = this.nowMs - Math.log(1 - this.draw()) * this.#strangersEveryMs;
    }
  }

  #sell(): void {
    const lines = 1 + below(this.draw, 3);
    for (let line = 0; line < lines; line++) {
      const row = this.#rows.get(this.popular());
      if (row === undefined) continue;
      const sold = 1 + below(this.draw, 3);
      // A shop that is sold out orders; else a long history would end in zeros.
      const quantity = row.quantity >= sold ? row.quantity - sold : row.quantity + 400;
      this.#set(row.item, { ...row, quantity });
    }
  }

  #set(name: string, row: Item | null): void {
    if (!this.#undo.has(name)) this.#undo.set(name, this.#rows.get(name) ?? null);
    if (row === null) this.#rows.delete(name);
    else this.#rows.set(name, row);
  }

  /** An item, those that sell well more often: the second half as well as the first, and so on. */
  popular(): string {
    if (this.#popularity.length === 0) {
      let sum = 0;
      const weights = [...this.#rows.keys()].map((name, at): [string, number] => [
        name,
        (sum += 1 / (at + 1)),
      ]);
      this.#popularity = weights.map(([name, upTo]) => [name, upTo / sum]);
    }
    const choice = this.draw();
    let [low, high] = [0, this.#popularity.length - 1];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#popularity[middle]?.[1] ?? 1) < choice) low = middle + 1;
      else high = middle;
    }
    return this.#popularity[low]?.[0] ?? '';
  }

  #write(hand: HandSave | null): void {
    this.#versions.push({ undo: this.#undo, at: this.nowMs, hand, isRead: false });
    this.#undo = new Map();
  }

  /** How many versions there were. */
  get versions(): number {
    return this.#versions.length;
  }

  /**
   * What the table is once `found`, made from `base`, is merged.
   *
   * @param base what the user's editor loaded
   */
  meant(base: Rows, found: Rows): Map<string, Item> {
    const merged = new Map<string, Item>();
    for (const name of new Set([...this.#rows.keys(), ...found.keys()])) {
      const row = mergedRow(
        base.get(name) ?? null,
        this.#rows.get(name) ?? null,
        found.get(name) ?? null,
        COLUMNS,
      );
      if (row !== null) merged.set(name, row);
    }
    return merged;
  }

  /** Takes a save in: it is the newest version, as it was saved. @param back how many versions before it its base is */
  takeIn(merged: Rows, found: Rows, back: number | null): void {
    const newest = this.file;
    this.#versions.push({
      undo: undoOf(found, newest),
      at: this.nowMs,
      hand: { back, savedMs: this.nowMs },
      isRead: true,
    });
    this.#rows = new Map(merged);
    this.#popularity = [];
    this.#undo = undoOf(merged, found);
  }
}

function undoOf(newer: Rows, older: Rows): Map<string, Item | null> {
  const undo = new Map<string, Item | null>();
  for (const name of new Set([...newer.keys(), ...older.keys()])) {
    const [is, was] = [newer.get(name) ?? null, older.get(name) ?? null];
    if (!sameRow(is, was)) undo.set(name, was);
  }
  return undo;
}

function poisson(draw: Draw, mean: number): number {
  let product = draw();
  let count = 0;
  for (const end = Math.exp(-mean); product > end; count++) product *= draw();
  return count;
}
