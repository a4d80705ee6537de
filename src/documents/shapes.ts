import { Type, type Static, type TProperties, type TSchema } from 'typebox';

/*
 * What documents are made of. By the custom of all of them: times are text, money is a decimal string, what is not
 * known is null and never left out, and no key is ever removed.
 */

/** The value of a document, as a program builds it. */
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

/** The keys of a record's place in Kafka. */
export const PLACE = { topic: Type.String(), partition: Count, offset: Count };

/** The same for a record that may not be there. */
export const PLACE_OR_NULL = {
  topic: nullable(Type.String()),
  partition: nullable(Count),
  offset: nullable(Count),
};

/** A line of an order. */
export const LINE = {
  item: Type.String(),
  quantity: nullable(Type.Number(), 'as it was ordered; null if that is not a finite number'),
};

/** How many, by a name such as a reason. */
export const CountByName = Type.Record(Type.String(), Count);

/** The keys of what became of a number of records: `read` is the sum of the others. */
export const COUNTS = {
  read: Count,
  accepted: Count,
  rejected: Count,
  duplicates: Count,
  conflicts: Count,
  dead_lettered: Count,
};
