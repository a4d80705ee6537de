import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import type { Shop } from '../cli.ts';
import type { KillableDatabase } from './database.ts';

const WAYS = ['command', 'import', 'sql'] as const;
type Way = (typeof WAYS)[number];

interface EditRow {
  readonly via: string;
  readonly why: string | null;
  readonly item: string;
  readonly change: number;
}

/**
 * Edits of stock by command, by list and by SQL, while the database may be down: a successful edit counts once; a
 * failed one may or may not have been made, but not twice.
 */
export class SharedEdits {
  readonly #shop: Shop;
  readonly #database: KillableDatabase;
  readonly #tried = new Map<string, { readonly way: Way; readonly isDone: boolean }>();

  constructor(shop: Shop, database: KillableDatabase) {
    this.#shop = shop;
    this.#database = database;
  }

  /** @param quantity for a set, roughly the new stock; for an addition, the quantity added */
  async make(item: string, quantity: number, random: () => number): Promise<void> {
    const way = WAYS[Math.floor(random() * WAYS.length)] ?? 'sql';
    const why = `edit-${this.#tried.size}`;
    const isDone = await this.#made(way, item, { quantity, why });
    this.#tried.set(why, { way, isDone });
  }

  async #made(
    way: Way,
    item: string,
    { quantity, why }: { quantity: number; why: string },
  ): Promise<boolean> {
    if (way === 'sql') {
      // SQL has no field for a reason: another cell changed by the same commit carries it.
      return this.#database
        .askOnce(
          `BEGIN; UPDATE orderctl.inventory SET quantity = quantity + ${quantity} WHERE item = '${item}';
           UPDATE orderctl.products SET name = '${why}' WHERE item = '${item}'; COMMIT`,
        )
        .then(
          () => true,
          () => false,
        );
    }
    const list = path.join(this.#shop.folder, 'list.csv');
    fs.writeFileSync(list, `item,quantity\n${item},${quantity}\n`);
    const words = way === 'import' ? ['import', list] : ['update', '--item', item, '--by', `+${quantity}`];
    const { code, stderr } = await this.#shop.run(['inventory', ...words, '--why', why]);
    expect([0, 5], `inventory ${words.join(' ')}: ${stderr}`).toContain(code);
    return code === 0;
  }

  /** @returns the quantities that they added, by the log of edits @throws when one is missing there or counts twice */
  async putIn(item: string): Promise<number> {
    const rows = await this.#database.ask<EditRow>(
      `SELECT via, coalesce(why, nullif(edit -> 'after' ->> 'name', edit -> 'before' ->> 'name')) AS why,
         edit ->> 'item' AS item,
         (edit -> 'after' ->> 'quantity')::int - (edit -> 'before' ->> 'quantity')::int AS change
       FROM orderctl.edits WHERE edit ->> 'kind' = 'item' AND edit ->> 'before' IS NOT NULL ORDER BY seq, ordinal`,
    );
    const counts = new Map<string, number>();
    for (const { why } of rows) if (why !== null) counts.set(why, (counts.get(why) ?? 0) + 1);
    for (const [why, { way, isDone }] of this.#tried) {
      const count = counts.get(why) ?? 0;
      // A list that changes nothing is not an edit.
      const least = isDone && way !== 'import' ? 1 : 0;
      expect([count >= least, count <= 1], `${why} by ${way}, done: ${isDone}, in the log: ${count}`).toEqual(
        [true, true],
      );
    }
    return rows.filter((row) => row.item === item).reduce((sum, { change }) => sum + change, 0);
  }
}
