import { Failure } from '../../domain/failure.ts';
import type { Sheet } from '../../ports/sheet.ts';

/** `[ours, theirs]`: the column that the list calls `theirs` is our column `ours`. */
export type ColumnName = readonly [ours: string, theirs: string];

/**
 * A list with columns under our names. A column of the list that has such a name already, and is not the one meant, keeps
 * to itself: it is left out.
 *
 * @throws Failure invalid_input: the list has no such column
 */
export function renameColumns(sheet: Sheet, names: readonly ColumnName[]): Sheet {
  const { file, line, header } = sheet;
  const places = names.map(([ours, theirs]) => {
    const at = header.findIndex((name) => isSame(name, theirs));
    if (at >= 0) return [at, ours] as const;
    const shown = header.map((name) => JSON.stringify(name)).join(', ');
    throw new Failure('invalid_input', `${file}:${line}: no column is called ${JSON.stringify(theirs)}`, {
      fix: `the list has ${shown.slice(0, 300)}`,
      context: { file, line },
    });
  });
  const renamed = new Map(places);
  const ours = new Set(renamed.values());
  return {
    ...sheet,
    header: header.map(
      (name, at) => renamed.get(at) ?? ([...ours].some((own) => isSame(own, name)) ? '' : name),
    ),
  };
}

/** The name of a column of a list as our files have it: in small letters, words joined by `_`. */
export function plainColumn(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]+/g, '_');
}

function isSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
