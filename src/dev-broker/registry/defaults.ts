import type { Field, Schema } from './avro-schema.ts';
import { invalidSchema } from './errors.ts';
import { isObject } from './json.ts';

/** A long default of a wide union would be tried with each branch. */
const MAX_STEPS = 1_000_000;

/** @throws RegistryError 42201 when a default is not a value of its field's type */
export function checkDefaults(fields: readonly Field[]): void {
  let steps = 0;

  function isValueOf(type: Schema, value: unknown): boolean {
    steps += 1;
    if (steps > MAX_STEPS) throw invalidSchema('its defaults are too large to check');
    switch (type.type) {
      case 'null':
        return value === null;
      case 'boolean':
        return typeof value === 'boolean';
      case 'int':
        return typeof value === 'number' && (value | 0) === value;
      case 'long':
        // The largest longs round to the double 2^63.
        return typeof value === 'number' && Number.isInteger(value) && Math.abs(value) <= 2 ** 63;
      case 'float':
      case 'double':
        return typeof value === 'number';
      case 'bytes':
      case 'string':
      case 'fixed':
      case 'enum':
        return typeof value === 'string';
      case 'array':
        return Array.isArray(value) && value.every((item) => isValueOf(type.items, item));
      case 'map':
        return isObject(value) && Object.values(value).every((item) => isValueOf(type.values, item));
      case 'union':
        return type.branches.some((branch) => isValueOf(branch, value));
      case 'record':
        // An omitted field has its own default, which is checked at that field.
        return (
          isObject(value) &&
          type.fields.every(({ name, type: of, default: own }) =>
            Object.hasOwn(value, name) ? isValueOf(of, value[name]) : own !== undefined,
          )
        );
    }
  }

  for (const { name, type, default: given } of fields) {
    if (given !== undefined && !isValueOf(type, given.value)) {
      const text = JSON.stringify(given.value);
      throw invalidSchema(`the default ${text.slice(0, 200)} of field ${name} is not a value of its type`);
    }
  }
}
