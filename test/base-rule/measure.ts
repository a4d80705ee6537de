import { chooseBase, type Choice, type FileClues } from '../../src/adapters/files/edits/base-rule.ts';
import type { KnownVersion } from '../../src/adapters/files/edits/known-version.ts';
import { INVENTORY, type CsvTable } from '../../src/adapters/files/tables/columns.ts';
import { mergedRow, sameRow } from '../../src/adapters/files/edits/merge-rows.ts';
import type { Item } from '../../src/domain/tables.ts';
import { randomFrom } from '../support/random.ts';
import { fewestRows } from './fewest-rows.ts';
import type { Save, Scenario } from './scenarios.ts';
import { below, COLUMNS, Shop, spread, type Rows } from './shop.ts';

/* Runs scenarios, and compares what a rule makes of each save with what the user meant. */

type Rule = (
  found: CsvTable<Item>,
  current: CsvTable<Item>,
  versions: readonly KnownVersion<Item>[],
  clues: FileClues,
) => Choice<Item>;

export const RULES: Readonly<Record<string, { rule: Rule; hasMarks: boolean }>> = {
  'fewest changed rows': { rule: fewestRows, hasMarks: false },
  'without read marks': { rule: chooseBase, hasMarks: false },
  'with read marks': { rule: chooseBase, hasMarks: true },
};

/** Rows of a table, from and to. */
export const SIZES: Readonly<Record<string, readonly [number, number]>> = {
  '1 to 3 rows': [1, 3],
  '5 to 20 rows': [5, 20],
  '50 to 1,000 rows': [50, 1_000],
};

export interface Counts {
  saves: number;
  wrong: number;
  refused: number;
  refusals: Record<string, number>;
}

/** Saves of one shop, before another one opens: histories get long. */
const SAVES_OF_A_SHOP = 12;

/** @param saves how many at least */
export function measure(
  { rule, hasMarks }: { rule: Rule; hasMarks: boolean },
  scenario: Scenario,
  [least, most]: readonly [number, number],
  {
    seed,
    saves,
    onWrong,
  }: { seed: number; saves: number; onWrong?: (save: Save, shop: Shop, chosen: number) => void },
): Counts {
  const counts: Counts = { saves: 0, wrong: 0, refused: 0, refusals: {} };
  for (let number = 0; counts.saves < saves; number++) {
    const draw = randomFrom(seed * 1_000 + number);
    const size = Math.round(least === 1 ? least + below(draw, most) : spread(draw, least, most));
    const shop = new Shop(draw, size, spread(draw, 0.01, 3));
    for (let made = 0; made < SAVES_OF_A_SHOP;) {
      for (const save of scenario(shop)) {
        made += 1;
        counts.saves += 1;
        const { base, found, version } = save;
        const meant = shop.meant(base, found);
        const file = { kind: INVENTORY, columns: COLUMNS, rows: found as Map<string, Item> };
        const choice = rule(file, shop.table, shop.known(hasMarks), shop.clues());
        if (choice.kind === 'set_aside') {
          counts.refused += 1;
          counts.refusals[choice.why] = (counts.refusals[choice.why] ?? 0) + 1;
        } else if (!isSame(meant, outcome(shop, found, choice.row))) {
          counts.wrong += 1;
          onWrong?.(save, shop, choice.index);
        }
        // What was refused is done by a sure way, and what was wrong is set right: the next one is another case.
        shop.takeIn(meant, found, shop.versions - version);
      }
    }
  }
  return counts;
}

function outcome(shop: Shop, found: Rows, base: (name: string) => Item | null): Map<string, Item> {
  const rows = new Map<string, Item>();
  for (const name of new Set([...shop.table.rows.keys(), ...found.keys()])) {
    const row = mergedRow(base(name), shop.table.rows.get(name) ?? null, found.get(name) ?? null, COLUMNS);
    if (row !== null) rows.set(name, row);
  }
  return rows;
}

function isSame(a: Rows, b: Rows): boolean {
  return a.size === b.size && [...a].every(([name, row]) => sameRow(row, b.get(name) ?? null));
}
