/* The versions of a CSV that are or were on disk, as the base rule sees them. */

/** The rows of an older version that differ from the next newer one; null: no such row. */
export type Undo<Row> = ReadonlyMap<string, Row | null>;

/** A save by hand. */
export interface HandSave {
  /** How many versions before it the one is that it was made from; null: unknown. */
  readonly back: number | null;
  /** When it was saved, milliseconds since the epoch. */
  readonly savedMs: number;
  /**
   * The shortfall of each item: how much less stock there is than this save says, where stock cannot express it. That
   * is what an edit would have taken below zero, and what was sold from a row that it removed. An edit made from this
   * save, or an undo of it, starts from there.
   */
  readonly owed?: ReadonlyMap<string, number>;
}

/** One version of a CSV that is or was on disk. */
export interface KnownVersion<Row> {
  /** Leads from the next newer version to this one; for the newest, from the current table. */
  readonly undo: Undo<Row>;
  /** When it was added, milliseconds since the epoch. */
  readonly at: number;
  /** No program has read it while it was on disk; false also where that is not known. */
  readonly unread: boolean;
  /** null: the owner wrote it, not a user. */
  readonly hand: HandSave | null;
}

/** Rows, some of them replaced by those in `others`, which may grow later. */
export function overlaid<Row>(
  rows: { get(name: string): Row | undefined },
  others: Undo<Row>,
): (name: string) => Row | null {
  return (name) => {
    const row = others.get(name);
    return row === undefined ? (rows.get(name) ?? null) : row;
  };
}

/** The rows of a version. */
export function rowsOf<Row>(
  current: { readonly rows: { get(name: string): Row | undefined } },
  versions: readonly KnownVersion<Row>[],
  index: number,
): (name: string) => Row | null {
  const overlay = new Map<string, Row | null>();
  for (const { undo } of versions.slice(0, index + 1)) for (const [name, row] of undo) overlay.set(name, row);
  return overlaid(current.rows, overlay);
}
