import type { Edit } from '../../../domain/edit.ts';
import { ITEM_DETAILS, type Item, type User } from '../../../domain/tables.ts';
import type { EditState } from '../../../domain/edit.ts';
import type { CopiedTable, MergeOptions, TableCopy, TableMerge } from '../../../ports/table-copy.ts';
import { makeAll } from '../edit.ts';
import type { PostgresOptions } from '../store.ts';

type TableName = 'users' | 'inventory';
type Row = User | Item;
type Clamped = TableMerge['clamped'][number];

/** A copy of a table in memory, for lists and for undoing edits. */
export class PostgresCopy implements TableCopy {
  /** No file: only an editor needs one. */
  readonly file = '';
  readonly #options: PostgresOptions;
  readonly #table: TableName;
  readonly #base: ReadonlyMap<string, Row>;
  readonly #seq: number;
  #content: CopiedTable;

  /** @param of.seq the number of the last commit before the copy */
  constructor(
    options: PostgresOptions,
    table: TableName,
    { rows, seq }: { readonly rows: readonly Row[]; readonly seq: number },
  ) {
    this.#options = options;
    this.#table = table;
    this.#seq = seq;
    this.#base = byName(rows);
    const columns = table === 'users' ? USER_COLUMNS : ITEM_COLUMNS;
    this.#content = {
      columns: [...new Set([...columns, ...rows.flatMap(({ extra }) => Object.keys(extra))])],
      rows,
    };
  }

  read(): CopiedTable {
    return this.#content;
  }

  removed(): { readonly rows: number; readonly of: number } {
    const left = byName(this.#content.rows);
    return { rows: [...this.#base.keys()].filter((name) => !left.has(name)).length, of: this.#base.size };
  }

  async write(table: CopiedTable): Promise<void> {
    this.#content = table;
  }

  isChanged(): boolean {
    return this.#wanted().length > 0;
  }

  /** Names of rows that differ from those that the copy was made from. */
  #wanted(): string[] {
    const found = byName(this.#content.rows);
    return [...new Set([...this.#base.keys(), ...found.keys()])].filter(
      (name) => JSON.stringify(this.#base.get(name)) !== JSON.stringify(found.get(name)),
    );
  }

  async merge({ onNotice, unlessEdited, ...origin }: MergeOptions): Promise<TableMerge> {
    const found = byName(this.#content.rows);
    const names = this.#wanted();
    let clamped: Clamped[] = [];
    const decide = (state: EditState): Edit[] => {
      clamped = [];
      return names.flatMap((name) => {
        const before = (this.#table === 'users' ? state.user(name) : state.item(name)) ?? null;
        const after = mergedRow(this.#base.get(name) ?? null, before, found.get(name) ?? null, clamped);
        return JSON.stringify(before) === JSON.stringify(after)
          ? []
          : [editOf(name, this.#table, before, after)];
      });
    };
    const edits = await makeAll(
      this.#options,
      {
        keys: { [this.#table === 'users' ? 'users' : 'items']: names },
        uneditedSince: unlessEdited === true ? this.#seq : null,
      },
      decide,
      origin,
    );
    for (const one of clamped) onNotice({ kind: 'stock_clamped', ...one });
    const rows = edits.flatMap((edit) => (edit.kind === 'user' || edit.kind === 'item' ? [edit] : []));
    return {
      added: rows.filter(({ before }) => before === null).length,
      changed: rows.filter(({ before, after }) => before !== null && after !== null).length,
      removed: rows.filter(({ after }) => after === null).length,
      edits,
      isRearranged: false,
      clamped,
    };
  }

  discard(): void {
    // It is only in memory.
  }
}

const USER_COLUMNS = ['user', 'status'];
const ITEM_COLUMNS = ['item', 'quantity', ...ITEM_DETAILS.map(({ column }) => column)];

function byName(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => ['item' in row ? row.item : row.user, row]));
}

function editOf(name: string, table: TableName, before: Row | null, after: Row | null): Edit {
  return table === 'users'
    ? { kind: 'user', user: name, before: before as User | null, after: after as User | null }
    : { kind: 'item', item: name, before: before as Item | null, after: after as Item | null };
}

/** Merges like a save by hand: quantities by their difference, other cells if they have changed. */
function mergedRow(base: Row | null, current: Row | null, found: Row | null, clamped: Clamped[]): Row | null {
  if (found === null) return base === null ? current : null;
  if (base === null || current === null) return found;
  const [was, is] = [cellsOf(base), cellsOf(found)];
  const names = new Set([...Object.keys(was), ...Object.keys(is)]);
  const changed = [...names].filter((name) => is[name] !== was[name]);
  const cells: Cells = {
    ...cellsOf(current),
    ...Object.fromEntries(changed.map((name) => [name, is[name]])),
  };
  if ('item' in current && 'item' in found && 'item' in base) {
    const wanted = current.quantity + found.quantity - base.quantity;
    // If a shop's sales have taken it below zero, it may stay there.
    const left = Math.max(wanted, Math.min(0, current.quantity));
    if (wanted < left) clamped.push({ item: current.item, wanted, left });
    cells.quantity = Math.min(left, Number.MAX_SAFE_INTEGER);
  }
  return rowOf(current, cells);
}

type Cells = Record<string, string | number | null | undefined>;

/** Columns that are only kept have a + in front of their names. */
function cellsOf({ extra, ...own }: Row): Cells {
  return { ...own, ...Object.fromEntries(Object.entries(extra).map(([name, cell]) => [`+${name}`, cell])) };
}

function rowOf(row: Row, cells: Cells): Row {
  const [own, extra] = [false, true].map((isExtra) =>
    Object.entries(cells).filter(([name]) => name.startsWith('+') === isExtra),
  );
  return {
    ...row,
    ...Object.fromEntries(own ?? []),
    // A column that the list has dropped is undefined.
    extra: Object.fromEntries(
      (extra ?? []).flatMap(([name, cell]) => (typeof cell === 'string' ? [[name.slice(1), cell]] : [])),
    ),
  };
}
