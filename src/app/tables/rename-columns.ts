import { Failure } from '../../domain/failure.ts';
import type { Sheet } from '../../ports/sheet.ts';

/** `[ours, theirs]`: the list's column `theirs` is the column `ours` of the table. */
export type ColumnName = readonly [ours: string, theirs: string];

/**
 * Renames the columns of a list to those of the table. Any other column of the list that already has such a name is
 * left out.
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

/** The name of a column in the form that the tables use: in lower case, words joined by `_`. */
export function plainColumn(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]+/g, '_');
}

function isSame(one: string, other: string): boolean {
  return one.trim().toLowerCase() === other.trim().toLowerCase();
}
