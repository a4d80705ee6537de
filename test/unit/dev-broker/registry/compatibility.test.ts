import { describe, expect, it } from 'vitest';
import { parseSchema } from '../../../../src/dev-broker/registry/avro-parser.ts';
import type { Schema } from '../../../../src/dev-broker/registry/avro-schema.ts';
import {
  differences,
  inWords,
  resolve,
  type Level,
} from '../../../../src/dev-broker/registry/compatibility.ts';

function avro(json: unknown): Schema {
  return parseSchema(JSON.stringify(json), new Map());
}

function record(...fields: object[]): object {
  return { type: 'record', name: 'R', fields };
}

const enumOf = (symbols: string[], rest: object = {}): object => ({
  type: 'enum',
  name: 'E',
  symbols,
  ...rest,
});
const fixed = (name: string, size: number, rest: object = {}): object => ({
  type: 'fixed',
  name,
  size,
  ...rest,
});

/** `KIND at path`, what speaks against reading `writer` with `reader`. */
function against(reader: unknown, writer: unknown): string[] {
  return resolve(avro(reader), avro(writer)).map(({ kind, path }) => `${kind} at ${path}`);
}

const PRIMITIVES = ['null', 'boolean', 'int', 'long', 'float', 'double', 'bytes', 'string'];
/** The specification: int is promotable to long, float, or double; and so on. */
const PROMOTABLE: Readonly<Record<string, string[]>> = {
  int: ['long', 'float', 'double'],
  long: ['float', 'double'],
  float: ['double'],
  string: ['bytes'],
  bytes: ['string'],
};

describe('schema resolution, primitive types', () => {
  const pairs = PRIMITIVES.flatMap((writer) => PRIMITIVES.map((reader) => [writer, reader] as const));
  it.each(pairs)('%s written, %s read', (writer, reader) => {
    const isReadable = writer === reader || PROMOTABLE[writer]?.includes(reader) === true;
    expect(against(reader, writer)).toEqual(isReadable ? [] : ['TYPE_MISMATCH at /']);
  });
});

const LIST = record({ name: 'value', type: 'int' }, { name: 'next', type: ['null', 'R'] });

describe('schema resolution, complex types', () => {
  it.each<[string, unknown, unknown, string[]]>([
    ['an array of a promotable type', { type: 'array', items: 'long' }, { type: 'array', items: 'int' }, []],
    [
      'an array of another type',
      { type: 'array', items: 'int' },
      { type: 'array', items: 'long' },
      ['TYPE_MISMATCH at /items'],
    ],
    ['a map of a promotable type', { type: 'map', values: 'double' }, { type: 'map', values: 'int' }, []],
    [
      'a map of another type',
      { type: 'map', values: 'int' },
      { type: 'map', values: 'string' },
      ['TYPE_MISMATCH at /values'],
    ],
    [
      'an array is no map',
      { type: 'array', items: 'int' },
      { type: 'map', values: 'int' },
      ['TYPE_MISMATCH at /'],
    ],

    ['an enum with more symbols', enumOf(['A', 'B', 'C']), enumOf(['A', 'B']), []],
    ['an enum with fewer symbols', enumOf(['A']), enumOf(['A', 'B']), ['MISSING_ENUM_SYMBOLS at /symbols']],
    ['an enum with fewer symbols and a default', enumOf(['A'], { default: 'A' }), enumOf(['A', 'B']), []],
    [
      "an enum's default of the writer counts for nothing",
      enumOf(['A']),
      enumOf(['A', 'B'], { default: 'A' }),
      ['MISSING_ENUM_SYMBOLS at /symbols'],
    ],
    ['an enum of another name', enumOf(['A']), { ...enumOf(['A']), name: 'F' }, ['NAME_MISMATCH at /name']],
    [
      'an enum of another name by alias',
      enumOf(['A'], { aliases: ['F'] }),
      { ...enumOf(['A']), name: 'F' },
      [],
    ],

    ['a fixed of the same size', fixed('F', 4), fixed('F', 4), []],
    ['a fixed of another size', fixed('F', 4), fixed('F', 8), ['FIXED_SIZE_MISMATCH at /size']],
    ['a fixed of another name', fixed('F', 4), fixed('G', 4), ['NAME_MISMATCH at /name']],
    ['a fixed of another name by alias', fixed('F', 4, { aliases: ['G'] }), fixed('G', 4), []],
    ['a fixed is no bytes', 'bytes', fixed('F', 4), ['TYPE_MISMATCH at /']],

    ['a field that the reader lacks', record(), record({ name: 'a', type: 'int' }), []],
    [
      'a field that the writer lacks',
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' }, { name: 'c', type: 'int' }),
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' }),
      ['READER_FIELD_MISSING_DEFAULT_VALUE at /fields/2'],
    ],
    [
      'a field that the writer lacks, with a default',
      record({ name: 'a', type: 'int', default: 0 }),
      record(),
      [],
    ],
    [
      'a field that the writer lacks, with null as default',
      record({ name: 'a', type: ['null', 'int'], default: null }),
      record(),
      [],
    ],
    [
      'a field that may be null is no default',
      record({ name: 'a', type: ['null', 'int'] }),
      record(),
      ['READER_FIELD_MISSING_DEFAULT_VALUE at /fields/0'],
    ],
    [
      'fields in another order',
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'string' }),
      record({ name: 'b', type: 'string' }, { name: 'a', type: 'int' }),
      [],
    ],
    [
      'a field of another type',
      record({ name: 'a', type: 'int' }),
      record({ name: 'a', type: 'string' }),
      ['TYPE_MISMATCH at /fields/0/type'],
    ],
    [
      'a renamed field by alias',
      record({ name: 'user', type: 'string', aliases: ['customer_id'] }),
      record({ name: 'customer_id', type: 'string' }),
      [],
    ],
    [
      'an alias of the writer is no name',
      record({ name: 'customer_id', type: 'string' }),
      record({ name: 'user', type: 'string', aliases: ['customer_id'] }),
      ['READER_FIELD_MISSING_DEFAULT_VALUE at /fields/0'],
    ],
    [
      'a field that is two of the writer',
      record({ name: 'a', type: 'int', aliases: ['b'] }),
      record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' }),
      ['AMBIGUOUS_FIELD at /fields/0'],
    ],
    ['a record of another name', record(), { ...record(), name: 'S' }, ['NAME_MISMATCH at /name']],
    ['a record of another name by alias', { ...record(), aliases: ['S'] }, { ...record(), name: 'S' }, []],
    ['namespaces are not compared', { ...record(), namespace: 'x' }, { ...record(), namespace: 'y' }, []],
    [
      'an alias is a full name',
      { ...record(), namespace: 'x', aliases: ['S'] },
      { ...record(), namespace: 'y', name: 'S' },
      ['NAME_MISMATCH at /name'],
    ],
    [
      'an alias with the namespace of the other',
      { ...record(), namespace: 'x', aliases: ['y.S'] },
      { ...record(), namespace: 'y', name: 'S' },
      [],
    ],

    ['a union that takes another type in', ['null', 'int', 'string'], ['null', 'int'], []],
    ['a union that loses a type', ['null', 'int'], ['null', 'int', 'string'], ['MISSING_UNION_BRANCH at /2']],
    ['a union in another order', ['int', 'null'], ['null', 'int'], []],
    ['a union with a promotion', ['null', 'long'], ['null', 'int'], []],
    ['a type becomes a union with it', ['null', 'int'], 'int', []],
    ['a type becomes a union without it', ['null', 'int'], 'string', ['MISSING_UNION_BRANCH at /']],
    ['a union becomes its only type', 'int', ['int'], []],
    ['a union becomes one of its types', 'int', ['int', 'string'], ['TYPE_MISMATCH at /1']],
    ['a union of nothing was never written', 'int', [], []],
    [
      'a union deep inside',
      record({ name: 'a', type: { type: 'array', items: ['null', 'int'] } }),
      record({ name: 'a', type: { type: 'array', items: ['null', 'string'] } }),
      ['MISSING_UNION_BRANCH at /fields/0/type/items/1'],
    ],
    [
      'records in a union, distinguished by their fields',
      [{ ...record({ name: 'a', type: 'int' }), name: 'A' }, 'null'],
      { ...record({ name: 'a', type: 'string' }), name: 'A' },
      ['MISSING_UNION_BRANCH at /'],
    ],

    ['a type that refers to itself', LIST, LIST, []],
    [
      'a type that refers to itself and grows',
      record(
        { name: 'value', type: 'long' },
        { name: 'next', type: ['null', 'R'] },
        { name: 'x', type: 'int', default: 0 },
      ),
      LIST,
      [],
    ],
    [
      'a type that refers to itself and is another one inside',
      record({ name: 'value', type: 'string' }, { name: 'next', type: ['null', 'R'] }),
      LIST,
      ['TYPE_MISMATCH at /fields/0/type'],
    ],
    ['logical types are not compared', { type: 'int', logicalType: 'date' }, 'int', []],
  ])('%s', (_, reader, writer, expected) => {
    expect(against(reader, writer)).toEqual(expected);
  });
});

it('what followed from an assumption that failed is not held to be known', () => {
  // A is tried first for W: in it, X reads Y if A reads W. It does not (field z), so that X does not read Y either.
  const types = (name: string, inner: string, z: object[]): object => ({
    type: 'record',
    name,
    fields: [
      { name: 'inner', type: { type: 'record', name: inner, fields: [{ name: 'outer', type: name }] } },
      ...z,
    ],
  });
  const reader = record(
    { name: 'a', type: ['null', types('A', 'X', [{ name: 'z', type: 'int' }])] },
    { name: 'b', type: 'X' },
  );
  const writer = record({ name: 'a', type: ['null', types('A', 'X', [])] }, { name: 'b', type: 'X' });
  expect(against(reader, writer)).toEqual([
    'MISSING_UNION_BRANCH at /fields/0/type/1',
    'READER_FIELD_MISSING_DEFAULT_VALUE at /fields/1/type/fields/0/type/fields/1',
  ]);
});

describe('levels', () => {
  const old = avro(record({ name: 'a', type: 'int' }));
  const withoutDefault = avro(record({ name: 'a', type: 'int' }, { name: 'b', type: 'int' }));
  const wider = avro(record({ name: 'a', type: 'long' }));
  it.each<[Level, Schema, string[]]>([
    ['NONE', withoutDefault, []],
    ['BACKWARD', withoutDefault, ['new READER_FIELD_MISSING_DEFAULT_VALUE']],
    ['BACKWARD', wider, []],
    ['BACKWARD_TRANSITIVE', withoutDefault, ['new READER_FIELD_MISSING_DEFAULT_VALUE']],
    ['FORWARD', withoutDefault, []],
    ['FORWARD', wider, ['old TYPE_MISMATCH']],
    ['FORWARD_TRANSITIVE', wider, ['old TYPE_MISMATCH']],
    ['FULL', withoutDefault, ['new READER_FIELD_MISSING_DEFAULT_VALUE']],
    ['FULL', wider, ['old TYPE_MISMATCH']],
    ['FULL_TRANSITIVE', wider, ['old TYPE_MISMATCH']],
  ])('%s', (level, candidate, expected) => {
    expect(differences(level, candidate, old).map(({ reader, kind }) => `${reader} ${kind}`)).toEqual(
      expected,
    );
  });

  it('a difference names what it is, where, and in which schema', () => {
    const [found] = differences('BACKWARD', withoutDefault, old);
    expect(found && inWords(found)).toBe(
      "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'b' at path '/fields/1' of the new " +
        "schema has no default value and is missing in the old schema', additionalInfo:'b'}",
    );
  });
});

describe('schemas made to take long', () => {
  it('a chain of types deeper than the stack is refused', () => {
    const links = Array.from({ length: 20_000 }, (_, i) => ({
      type: 'record',
      name: `T${i}`,
      fields: i === 0 ? [] : [{ name: 'f', type: `T${i - 1}` }],
    }));
    const chain = avro({ ...record({ name: 'all', type: links }, { name: 'top', type: 'T19999' }) });
    expect(() => resolve(chain, chain)).toThrow('too large to compare');
  });

  it('two wide unions are refused', () => {
    const union = (prefix: string): Schema =>
      avro(Array.from({ length: 5_000 }, (_, i) => ({ type: 'fixed', name: `${prefix}${i}`, size: 1 })));
    expect(() => resolve(union('A'), union('B'))).toThrow('too large to compare');
  });

  it('a difference in a type that is everywhere is reported a bounded number of times', () => {
    const doubling = (leaf: string): Schema => {
      const types: object[] = [{ type: 'record', name: 'T0', fields: [{ name: 'x', type: leaf }] }];
      for (let i = 1; i < 30; i += 1) {
        const type = `T${i - 1}`;
        types.push({
          type: 'record',
          name: `T${i}`,
          fields: [
            { name: 'l', type },
            { name: 'r', type },
          ],
        });
      }
      return avro(record(...types.map((type, i) => ({ name: `f${i}`, type }))));
    };
    const found = resolve(doubling('int'), doubling('string'));
    expect(found.length).toBe(100);
    expect(found[0]).toMatchObject({ kind: 'TYPE_MISMATCH' });
  });
});
