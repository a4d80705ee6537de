import type { OutgoingMessage } from '../../../domain/messages/outgoing.ts';
import type { Outgoing } from '../../../ports/store.ts';

/*
 * Messages of one type in one line, column by column: most commits leave many messages, and writing each as an object
 * took longer than deciding what they contain.
 */

/** The most messages in one line, which is parsed, sent and marked sent as a whole. */
const MOST_MESSAGES = 500;
/** A line ends when its text has this many UTF-16 units. */
const MOST_UNITS = 64 * 1024;

type Value = string | number | boolean | null;

/** A value for each message; or one value for all; or, in each message, the value of its id or key. */
type Column<V extends Value> = readonly V[] | { readonly all: V } | { readonly as: 'id' | 'key' };

export interface EncodedColumns {
  readonly kind: 'messages';
  readonly type: string;
  readonly id: readonly string[];
  readonly key: Column<string>;
  readonly at: Column<number>;
  readonly traceparent: Column<string | null>;
  readonly fields: Readonly<Record<string, Column<Value>>>;
}

/** A message whose fields are plain values. One with lists in it may be long, and has a line of its own. */
type FlatMessage = OutgoingMessage & { readonly fields: Readonly<Record<string, Value>> };

/** @returns the messages from `from` on that fit into one line; none when the first needs a line of its own */
export function messagesOfOneLine(outgoing: readonly Outgoing[], from: number): readonly FlatMessage[] {
  const first = outgoing[from];
  if (first?.kind !== 'message') return [];
  const names = Object.keys(first.fields);
  const found: FlatMessage[] = [];
  let units = 0;
  for (let at = from; at < outgoing.length && found.length < MOST_MESSAGES; at++) {
    const one = outgoing[at];
    if (one?.kind !== 'message' || one.type !== first.type || one.deadLetter !== undefined) break;
    const more = unitsOf(one, names);
    if (Number.isNaN(more) || (found.length > 0 && units + more > MOST_UNITS)) break;
    units += more;
    found.push(one as FlatMessage);
  }
  return found;
}

/** How much text the fields have; NaN when they are not plain values with these names. */
function unitsOf({ fields }: OutgoingMessage, names: readonly string[]): number {
  let units = 0;
  let count = 0;
  for (const name in fields) {
    if (name !== names[count++]) return NaN;
    const value = fields[name];
    if (typeof value === 'string') units += value.length;
    else if (value === undefined || (typeof value === 'object' && value !== null)) return NaN;
  }
  return count === names.length ? units : NaN;
}

/** @param messages from messagesOfOneLine, at least one */
export function encodeColumns(messages: readonly FlatMessage[]): EncodedColumns {
  const [first] = messages;
  const id = messages.map((one) => one.id);
  const key = messages.map((one) => one.key);
  const fields: Record<string, Column<Value>> = {};
  for (const name in first?.fields) {
    const values = messages.map((one) => one.fields[name] ?? null);
    if (isSame(values, id)) fields[name] = { as: 'id' };
    else fields[name] = isSame(values, key) ? { as: 'key' } : column(values);
  }
  return {
    kind: 'messages',
    type: first?.type ?? '',
    id,
    key: column(key),
    at: column(messages.map((one) => one.at)),
    traceparent: column(messages.map((one) => one.traceparent)),
    fields,
  };
}

function column<V extends Value>(values: readonly V[]): Column<V> {
  const [first] = values;
  return first !== undefined && values.every((value) => value === first) ? { all: first } : values;
}

function isSame(values: readonly Value[], others: readonly string[]): boolean {
  return values.every((value, at) => value === others[at]);
}

export function decodeColumns(columns: EncodedColumns): OutgoingMessage[] {
  const { type, id: ids } = columns;
  const of = <V extends Value>(values: Column<V>, at: number, known: { id: string; key: string }): V => {
    if ('all' in values) return values.all;
    if ('as' in values) return known[values.as] as V;
    const value = values[at];
    if (value === undefined) throw new TypeError('a column is too short');
    return value;
  };
  const names = Object.entries(columns.fields);
  return ids.map((id, at) => {
    const known = { id, key: '' };
    known.key = of(columns.key, at, known);
    const fields: Record<string, Value> = {};
    for (const [name, values] of names) fields[name] = of(values, at, known);
    return {
      kind: 'message',
      id,
      type,
      key: known.key,
      fields,
      at: of(columns.at, at, known),
      traceparent: of(columns.traceparent, at, known),
    };
  });
}
