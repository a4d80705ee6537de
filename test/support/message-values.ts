import fc from 'fast-check';
import type { AvroType } from '../../src/domain/messages/message.ts';
import { isNullable } from '../../src/domain/messages/parse.ts';

const NAMES = new Set(['order_id', 'customer_id', 'product_id', 'item', 'store_id', 'supplier_id']);

/** Values of a schema, in the form that they have in our programs. */
export function valuesOf(type: AvroType, name = ''): fc.Arbitrary<unknown> {
  if (NAMES.has(name) && type === 'string') return fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$/);
  if (type === 'string') return fc.string({ unit: 'grapheme' });
  if (type === 'int') return fc.integer();
  if (type === 'long') return fc.maxSafeInteger();
  if (isNullable(type)) return fc.option(valuesOf(type[1], name));
  switch (type.type) {
    case 'bytes':
      return fc
        .integer({ min: -9_999_999_999, max: 9_999_999_999 })
        .map((hundredths) => (hundredths / 100).toFixed(2).replace(/^-0\.00$/, '0.00'));
    case 'long':
      return fc.integer({ min: -8.64e15, max: 8.64e15 });
    case 'enum':
      return fc.constantFrom(...type.symbols);
    case 'array':
      return fc.array(valuesOf(type.items), { maxLength: 5 });
    case 'record':
      return fc.record(
        Object.fromEntries(type.fields.map((field) => [field.name, valuesOf(field.type, field.name)])),
        { noNullPrototype: true },
      );
  }
}
