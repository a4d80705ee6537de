import { Type, type TSchema } from 'typebox';
import { NAME_PATTERN, NAME_RULE } from '../../domain/names.ts';
import { nullable } from '../shapes.ts';

/* Parts of request schemas. They express the rules of the domain as far as a schema can; the domain checks the rest. */

/** A schema with a stricter form in the OpenAPI document; code that reports problems better checks the difference. */
export function documented<Schema extends TSchema>(schema: Schema, as: object): Schema {
  return { ...schema, documented: as };
}

/** A schema in the form of the OpenAPI document. */
export function asDocumented(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(asDocumented);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('documented' in schema) return asDocumented(schema.documented);
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, asDocumented(value)]));
}

const NO_CONTROL = String.raw`[^\u0000-\u001f\u007f-\u009f]`;

export const Name = Type.String({ pattern: NAME_PATTERN, description: `a name: ${NAME_RULE}` });

export const Why = Type.String({
  maxLength: 1_000,
  description: 'one line, kept in the log of edits',
  pattern: String.raw`^${NO_CONTROL}*[^\s\u0000-\u001f\u007f-\u009f]${NO_CONTROL}*$`,
});

/** Stock on hand, or a reorder level. */
export const Quantity = Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER });

export const ItemName = nullable(
  Type.String({
    maxLength: 256,
    description: 'a name on one line that does not start with = + - or @',
    pattern: String.raw`^(?![=+\-@])${NO_CONTROL}*$`,
  }),
);

/** The empty string clears the price, as null does. */
export const Price = nullable(
  Type.String({
    description: 'an amount such as 12.50',
    pattern: String.raw`^(?:[0-9]{1,8}(?:\.[0-9]{1,2})?)?$`,
  }),
);

/** A time in any ISO 8601 form. @param description the meaning of the time */
export function timeGiven(description: string): TSchema {
  return documented(Type.String(), {
    type: 'string',
    description,
    examples: ['2026-11-21T10:00:00Z', '2026-11-21'],
    anyOf: [{ format: 'date-time' }, { format: 'date' }],
  });
}
