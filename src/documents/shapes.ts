import { Type, type Static, type TProperties, type TSchema } from 'typebox';

/*
 * Parts of documents. In all documents, times are strings, money is a decimal string, unknown values are null and never
 * left out, and no key is ever removed.
 */

/** The type of a document. */
export type Document<Schema extends TSchema> = Immutable<Static<Schema>>;

type Immutable<T> = T extends object ? { readonly [Key in keyof T]: Immutable<T[Key]> } : T;

/** An object with these keys and no others. */
export function object<Properties extends TProperties>(properties: Properties, description?: string) {
  return Type.Object(properties, {
    additionalProperties: false,
    ...(description === undefined ? {} : { description }),
  });
}

export function nullable<Schema extends TSchema>(schema: Schema, description?: string) {
  return Type.Union([schema, Type.Null()], description === undefined ? {} : { description });
}

export const Time = Type.String({
  pattern: String.raw`^([+-]\d{2})?\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`,
  description: 'ISO 8601 in UTC, with milliseconds',
});

export const Money = Type.String({
  pattern: String.raw`^\d{1,8}\.\d{2}$`,
  description: 'a decimal number with two places',
});

export const Count = Type.Integer({ minimum: 0 });

export const Seconds = Type.Number({ minimum: 0 });

/** The position of a record in Kafka. */
export const PLACE = { topic: Type.String(), partition: Count, offset: Count };

/** The position of a record that may not exist. */
export const PLACE_OR_NULL = {
  topic: nullable(Type.String()),
  partition: nullable(Count),
  offset: nullable(Count),
};

/** A line of an order. */
export const LINE = {
  item: Type.String(),
  quantity: nullable(Type.Number(), 'as ordered; null if it was not a finite number'),
};

/** Counts by a name, such as a reason. */
export const CountByName = Type.Record(Type.String(), Count);

/** Counts of records by outcome; `read` is the sum of the others. */
export const COUNTS = {
  read: Count,
  accepted: Count,
  rejected: Count,
  duplicates: Count,
  conflicts: Count,
  dead_lettered: Count,
};
