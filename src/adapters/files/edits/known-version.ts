/* The versions of a CSV that are or were on disk, as the rule for the base looks at them. */

/** What rows were in an older version where it differs from the next newer one; null: was not there. */
export type Undo<Row> = ReadonlyMap<string, Row | null>;

/** A save by hand. */
export interface HandSave {
  /** How many versions back the one is that it was made from; null: unknown. */
  readonly back: number | null;
  /** When it was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /**
   * By item, how much less there is than this save says, where stock cannot express it: what an edit would have taken
   * below zero, and what was sold of a row that it removed. An edit made from this save, or an undo of it, begins
   * there.
   */
  readonly owed?: ReadonlyMap<string, number>;
}

/** One version of a CSV that is or was on disk. */
export interface KnownVersion<Row> {
  /** From the next newer version to this one; for the newest, from the current table. */
  readonly undo: Undo<Row>;
  /** When it was added, milliseconds since the epoch. */
  readonly at: number;
  /** Nobody has read it while it was on disk; false as well where that is not known. */
  readonly unread: boolean;
  /** null: we have written it. */
  readonly hand: HandSave | null;
}

/** Rows, some of them replaced by others, which may be added later. */
export function overlaid<Row>(
  rows: { get(name: string): Row | undefined },
  others: Undo<Row>,
): (name: string) => Row | null {
  return (name) => {
    const row = others.get(name);
    return row === undefined ? (rows.get(name) ?? null) : row;
  };
}

/** Rows of a version. */
export function rowsOf<Row>(
  current: { readonly rows: { get(name: string): Row | undefined } },
  versions: readonly KnownVersion<Row>[],
  index: number,
): (name: string) => Row | null {
  const overlay = new Map<string, Row | null>();
  for (const { undo } of versions.slice(0, index + 1)) for (const [name, row] of undo) overlay.set(name, row);
  return overlaid(current.rows, overlay);
}
