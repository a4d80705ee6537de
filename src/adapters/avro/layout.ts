import type { Field, Schema } from './schema.ts';

/**
 * Whether values of `type` have the layout of `own`; type names, aliases and defaults do not matter. @param own not
 * recursive
 */
export function hasOwnLayout(type: Schema, own: Schema): boolean {
  if (own.type === 'union')
    return type.type === 'union' && everyPair(type.branches, own.branches, hasOwnLayout);
  if (own.type === 'record') return type.type === 'record' && everyPair(type.fields, own.fields, isSameField);
  if ('items' in own) return 'items' in type && type.type === own.type && hasOwnLayout(type.items, own.items);
  return type.type === own.type && JSON.stringify(type) === JSON.stringify(own);
}

function isSameField(field: Field, own: Field): boolean {
  return field.name === own.name && hasOwnLayout(field.type, own.type);
}

function everyPair<T>(some: readonly T[], own: readonly T[], isSame: (one: T, other: T) => boolean): boolean {
  return (
    some.length === own.length &&
    own.every((other, at) => {
      const one = some[at];
      return one !== undefined && isSame(one, other);
    })
  );
}
