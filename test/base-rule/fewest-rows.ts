import type { Choice } from '../../src/adapters/files/edits/base-rule.ts';
import { type KnownVersion, overlaid } from '../../src/adapters/files/edits/known-version.ts';
import type { CsvTable } from '../../src/adapters/files/tables/columns.ts';
import { sameRow } from '../../src/adapters/files/edits/merge-rows.ts';
import type { Item } from '../../src/domain/tables.ts';

/** The rule of before, for comparison: the version that leaves the fewest changed rows, of equal ones the newest. */
export function fewestRows(
  found: CsvTable<Item>,
  current: CsvTable<Item>,
  versions: readonly KnownVersion<Item>[],
): Choice<Item> {
  const overlay = new Map<string, Item | null>();
  const version = overlaid(current.rows, overlay);
  let changed = 0;
  const count = (name: string, row: Item | null, sign: 1 | -1): void => {
    if (!sameRow(row, found.rows.get(name) ?? null)) changed += sign;
  };
  for (const name of new Set([...found.rows.keys(), ...current.rows.keys()])) count(name, version(name), 1);
  let [best, fewest] = [-1, Infinity];
  versions.forEach(({ undo }, at) => {
    for (const [name, row] of undo) {
      count(name, version(name), -1);
      overlay.set(name, row);
      count(name, row, 1);
    }
    if (changed < fewest) [best, fewest] = [at, changed];
  });
  overlay.clear();
  for (const { undo } of versions.slice(0, best + 1)) for (const [name, row] of undo) overlay.set(name, row);
  return { kind: 'base', index: best, row: version };
}
