import type { Edit } from '../../../domain/edit.ts';
import { smallLinesOf, type EditEvents } from '../journal/change-encoder.ts';
import type { Commit } from '../journal/commit.ts';
import { encodeVersion } from '../csv/versions.ts';
import { editRenderer, type EditStamp } from '../logs/edit-line.ts';
import { textBytes } from '../logs/text-bytes.ts';
import type { Row, TableKind } from '../tables/columns.ts';
import type { StateLine } from '../tables/state-line.ts';
import type { Table } from '../tables/table.ts';
import { takeInLines, type FileFacts, type Found } from './hand-edit-look.ts';
import type { HandEdit, NamedChanges } from './hand-edits.ts';
import { sameRow } from './merge-rows.ts';

/** Returns the consequences of edits, for the commit that applies them; null: they have none. */
export type EditHook = ((edits: Iterable<Edit>) => EditEvents) | null;

/** Whether the edit changes a row. */
export function changesRow(edit: Edit): boolean {
  if (edit.kind === 'user') return !sameRow(edit.before, edit.after);
  return edit.kind === 'item' && !sameRow(edit.before, edit.after);
}

/** The commit that applies a merged hand edit. */
export function takeInCommit<R extends Row>(
  kind: TableKind<R>,
  table: Table<R>,
  found: Extract<Found<R>, { kind: 'edited' }>,
  edit: Extract<HandEdit<R>, { kind: 'merged' }>,
  {
    facts,
    stamp,
    onEdits,
    named,
  }: { facts: FileFacts; stamp: EditStamp; onEdits: EditHook; named: NamedChanges },
): Commit {
  const { lines, version } = takeInLines(kind, table, found, edit, facts);
  // Generated as they are read: there may be a million.
  const edits = function* (): Generator<Edit> {
    for (const { name, before, after } of edit.edits) yield kind.edit(name, before, after);
  };
  const render = editRenderer(stamp);
  const logged = function* (): Generator<string> {
    for (const { name, before, after } of named.of(edit.edits)) yield render(kind.edit(name, before, after));
  };
  const events = onEdits?.(edits()) ?? {};
  return {
    seq: stamp.seq,
    lines: onEdits === null ? lines : both(lines, [...smallLinesOf(events)]),
    outgoing: events.outgoing ?? [],
    logs: { edits: textBytes(logged()), [kind.table]: encodeVersion(version) },
  };
}

/** The result can be iterated any number of times. */
function both(lines: Iterable<StateLine>, more: readonly StateLine[]): Iterable<StateLine> {
  return {
    *[Symbol.iterator]() {
      yield* lines;
      yield* more;
    },
  };
}
