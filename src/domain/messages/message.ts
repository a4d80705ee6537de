/*
 * What a message is. One file per message declares it, index.ts lists them; topics, schemas, codecs and the event
 * catalogue are made from that, and so is its TypeScript type.
 */

/** Avro schemas as the messages use them; ordinary Avro in plain objects. */
export type AvroType =
  | 'string'
  | 'int'
  | 'long'
  | typeof MONEY
  | typeof TIME
  | EnumType
  | ArrayType
  | RecordType
  | readonly ['null', AvroType];

export interface EnumType {
  readonly type: 'enum';
  readonly name: string;
  readonly symbols: readonly string[];
}

export interface ArrayType {
  readonly type: 'array';
  readonly items: AvroType;
}

export interface RecordType {
  readonly type: 'record';
  readonly name: string;
  readonly namespace?: string;
  readonly doc?: string;
  readonly fields: readonly FieldType[];
}

export interface FieldType {
  readonly name: string;
  readonly type: AvroType;
  readonly doc?: string;
  /** Names that other producers give it. */
  readonly aliases?: readonly string[];
  /** Without one, a record that lacks the field is not read, unless it may be null. */
  readonly default?: null | string | number;
}

/** A decimal string with two places, such as "12.50". */
export const MONEY = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } as const;
/** Milliseconds since the epoch. JSON may have ISO 8601 instead. */
export const TIME = { type: 'long', logicalType: 'timestamp-millis' } as const;

/** The TypeScript type of a schema's values, with the names of its fields. */
export type ValueOf<T> = T extends 'string'
  ? string
  : T extends 'int' | 'long' | typeof TIME
    ? number
    : T extends typeof MONEY
      ? string
      : T extends { readonly symbols: readonly (infer Symbol)[] }
        ? Symbol
        : T extends { readonly items: infer Item }
          ? readonly ValueOf<Item>[]
          : T extends { readonly fields: readonly (infer F)[] }
            ? { readonly [K in F as NameOf<K>]: K extends { readonly type: infer V } ? ValueOf<V> : never }
            : T extends readonly ['null', infer V]
              ? ValueOf<V> | null
              : never;

type NameOf<F> = F extends { readonly name: infer N extends string } ? N : never;

export type ProcessorName =
  'orders' | 'validation' | 'payment' | 'inventory' | 'warehouse' | 'notification' | 'delivery' | 'stock';

/** Who sends messages besides processors: commands, the HTTP API, and programs of others. */
export type Sender = 'produce' | 'API' | 'order cancel' | 'order dispatch' | 'shops' | 'tills' | 'suppliers';

/** A topic and what it carries. */
export interface DeclaredMessage {
  /** Its name in the catalogue, and of its topic where the settings name no other. */
  readonly name: string;
  readonly summary: string;
  /** The field whose text is the key of records; null: the key of the record that is carried. */
  readonly key: string | null;
  readonly partitions: number;
  readonly retentionDays: number;
  readonly writers: readonly (ProcessorName | Sender)[];
  readonly readers: readonly ProcessorName[];
  /** Of the values; null: records of other topics as they came. */
  readonly schema: RecordType | null;
}

export interface Message<Schema extends RecordType = RecordType> extends DeclaredMessage {
  readonly key: Schema['fields'][number]['name'];
  readonly schema: Schema;
}

/** Of a message whose values are V. What takes such values asks for this: V is worked out once, where it is declared. */
interface Valued<V> {
  /** Fixes V; never set. */
  readonly value?: V;
}
export type MessageOf<V> = Message & Valued<V>;

/** Keeps the exact type of the schema, from which the type of values follows. */
export function message<const Schema extends RecordType>(
  declared: Message<Schema>,
): Message<Schema> & Valued<ValueOf<Schema>> {
  return declared;
}

/** A field that may be null, which it is where it is left out. */
export function optional<const Name extends string, const Type extends AvroType>(
  name: Name,
  type: Type,
  doc: string,
): {
  readonly name: Name;
  readonly type: readonly ['null', Type];
  readonly doc: string;
  readonly default: null;
} {
  return { name, type: ['null', type], doc, default: null };
}

/** The type of a message by its CloudEvents header `ce_type`: `orderctl.Alert`. */
export function typeOf({ schema }: Message): string {
  return schema.namespace === undefined ? schema.name : `${schema.namespace}.${schema.name}`;
}
