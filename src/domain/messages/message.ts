/*
 * The declaration of messages. Each message is declared in a file of its own and listed in index.ts; its topic, schema,
 * codec, entry in the event catalogue and TypeScript type are derived from that.
 */

/** The part of Avro that the messages use, as plain objects. */
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
  /** Names of this field in the schemas of other producers. */
  readonly aliases?: readonly string[];
  /** Without a default, a record that lacks the field is invalid, unless the field may be null. */
  readonly default?: null | string | number;
}

/** A decimal string with two places, such as "12.50". */
export const MONEY = { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } as const;
/** Milliseconds since the epoch; in JSON, ISO 8601 is accepted too. */
export const TIME = { type: 'long', logicalType: 'timestamp-millis' } as const;

/** The TypeScript type of the values of a schema. */
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

/** Senders of messages other than processors: commands, the HTTP API and external programs. */
export type Sender = 'produce' | 'API' | 'order cancel' | 'order dispatch' | 'shops' | 'tills' | 'suppliers';

/** A message and its topic. */
export interface DeclaredMessage {
  /** Its name in the catalogue, and the name of its topic unless the settings give another. */
  readonly name: string;
  readonly summary: string;
  /** The field that is the key of records; null: records keep the key of the original record. */
  readonly key: string | null;
  readonly partitions: number;
  readonly retentionDays: number;
  readonly writers: readonly (ProcessorName | Sender)[];
  readonly readers: readonly ProcessorName[];
  /** Schema of the values; null: the topic carries records of other topics unchanged. */
  readonly schema: RecordType | null;
}

export interface Message<Schema extends RecordType = RecordType> extends DeclaredMessage {
  readonly key: Schema['fields'][number]['name'];
  readonly schema: Schema;
}

/** Carries the type V of a message's values, so that the compiler infers it once, at the declaration of the message. */
interface Valued<V> {
  /** Fixes V; never set. */
  readonly value?: V;
}
export type MessageOf<V> = Message & Valued<V>;

/** Keeps the exact type of the schema, from which the type of its values is derived. */
export function message<const Schema extends RecordType>(
  declared: Message<Schema>,
): Message<Schema> & Valued<ValueOf<Schema>> {
  return declared;
}

/** A nullable field whose default is null. */
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

/** The value of the CloudEvents header `ce_type`: `orderctl.Alert`. */
export function typeOf({ schema }: Message): string {
  return schema.namespace === undefined ? schema.name : `${schema.namespace}.${schema.name}`;
}
