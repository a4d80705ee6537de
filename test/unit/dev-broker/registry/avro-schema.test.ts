import { describe, expect, it } from 'vitest';
import { parseSchema } from '../../../../src/dev-broker/registry/avro-parser.ts';
import type { NamedSchema } from '../../../../src/dev-broker/registry/avro-schema.ts';
import { schemaText } from '../../../../src/dev-broker/registry/avro-text.ts';
import { resolve } from '../../../../src/dev-broker/registry/compatibility.ts';
import { RegistryError } from '../../../../src/dev-broker/registry/errors.ts';

function textOf(json: unknown, isNormalized = false): string {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  return schemaText(parseSchema(text, new Map()), [], isNormalized);
}

function record(...fields: object[]): object {
  return { type: 'record', name: 'R', fields };
}

describe('the text of a schema', () => {
  // Each as Schema.toString() of Avro for Java 1.12 prints it.
  it.each<[string, unknown, string]>([
    ['white space goes', ' { "type" : "array" ,\n "items" : "int" } ', '{"type":"array","items":"int"}'],
    ['a type in an object is itself', { type: 'string' }, '"string"'],
    [
      'attributes are ordered',
      {
        fields: [{ type: 'int', default: 1, doc: 'd', name: 'a' }],
        aliases: ['B'],
        doc: 'D',
        name: 'R',
        type: 'record',
      },
      '{"type":"record","name":"R","doc":"D","fields":[{"name":"a","type":"int","doc":"d","default":1}],"aliases":["B"]}',
    ],
    [
      'a full name is split, inner ones are short',
      {
        type: 'record',
        name: 'x.y.R',
        fields: [
          { name: 'a', type: { type: 'fixed', name: 'F', size: 2 } },
          { name: 'b', type: 'x.y.F' },
          { name: 'c', type: { type: 'enum', name: 'E', namespace: 'z', symbols: ['A'] } },
          { name: 'd', type: 'z.E' },
        ],
      },
      '{"type":"record","name":"R","namespace":"x.y","fields":[{"name":"a","type":{"type":"fixed","name":"F","size":2}},' +
        '{"name":"b","type":"F"},{"name":"c","type":{"type":"enum","name":"E","namespace":"z","symbols":["A"]}},' +
        '{"name":"d","type":"z.E"}]}',
    ],
    [
      'other attributes stay in place',
      { type: 'bytes', scale: 2, precision: 10, logicalType: 'decimal' },
      '{"type":"bytes","scale":2,"precision":10,"logicalType":"decimal"}',
    ],
    [
      'ascending is the order that need not be said',
      record({ name: 'a', type: 'int', order: 'ascending' }, { name: 'b', type: 'int', order: 'ignore' }),
      '{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","order":"ignore"}]}',
    ],
  ])('%s', (_, json, expected) => {
    expect(textOf(json)).toBe(expected);
  });

  it('a type that is called string in its namespace is never written by that name alone', () => {
    const own = { type: 'record', name: 'string', fields: [{ name: 'x', type: 'int' }] };
    const fields = [
      { name: 'a', type: own },
      { name: 'b', type: 'shop.string' },
      { name: 'c', type: 'string' },
    ];
    const text = textOf({ type: 'record', name: 'shop.R', fields });
    expect(text).toContain('{"name":"b","type":"shop.string"},{"name":"c","type":"string"}');
    expect(textOf(text)).toBe(text);
  });

  it('normalized, the order of other attributes does not count', () => {
    const one = { type: 'bytes', scale: 2, logicalType: 'decimal', more: { b: 1, a: 2 } };
    const other = { more: { a: 2, b: 1 }, logicalType: 'decimal', type: 'bytes', scale: 2 };
    expect(textOf(one)).not.toBe(textOf(other));
    expect(textOf(one, true)).toBe(textOf(other, true));
  });

  it('types that are defined elsewhere are written as names', () => {
    const names = new Map<string, NamedSchema>();
    parseSchema('{"type":"fixed","name":"x.F","size":2}', names);
    const known = [...names.keys()];
    const schema = parseSchema(JSON.stringify(record({ name: 'a', type: 'x.F' })), names);
    expect(schemaText(schema, known, false)).toBe(
      '{"type":"record","name":"R","fields":[{"name":"a","type":"x.F"}]}',
    );
  });

  it('names that objects have of their own are names like others', () => {
    const odd = ['constructor', '__proto__', 'toString'].map((name) => ({ name, type: 'int' }));
    const text = `{"type":"record","name":"R","fields":${JSON.stringify(odd)},"__proto__":{"a":1}}`;
    expect(textOf(text)).toBe(text);
    expect(() => textOf('"constructor"')).toThrow('undefined type');
    expect(() => textOf('{"__proto__":{"type":"string"}}')).toThrow('no type');
  });
});

describe('names that Avro for Java takes', () => {
  it.each<[string, object]>([
    ['a namespace with a hyphen', { ...record(), namespace: 'my-shop.orders' }],
    ['a namespace of digits and spaces', { ...record(), namespace: '1.my shop' }],
    ['a namespace with an empty part', { ...record(), namespace: 'a..b' }],
    ['a full name with a hyphen before its last dot', { type: 'fixed', name: 'a-b.F', size: 1 }],
    [
      'letters of other scripts',
      { type: 'record', name: 'Größe', fields: [{ name: 'número', type: 'int' }] },
    ],
    ['symbols of other scripts', { type: 'enum', name: 'E', symbols: ['größer', '注文'] }],
    ['an enum without symbols', { type: 'enum', name: 'E', symbols: [] }],
    ['an alias in a namespace with a hyphen', { ...record(), aliases: ['a-b.R'] }],
    ['aliases of fields of any form', record({ name: 'a', type: 'int', aliases: ['a-b', '', '1 2'] })],
    ['a record called string in a namespace', { type: 'record', name: 'string', namespace: 'a', fields: [] }],
  ])('%s', (_, json) => {
    expect(JSON.parse(textOf(textOf(json)))).toMatchObject(JSON.parse(textOf(json)) as object);
    expect(
      resolve(parseSchema(JSON.stringify(json), new Map()), parseSchema(textOf(json), new Map())),
    ).toEqual([]);
  });
});

describe('what is not a schema', () => {
  it.each<[string, unknown]>([
    ['not JSON', 'string'],
    ['a number', 4],
    ['null', 'null'],
    ['an object without a type', { name: 'R' }],
    ['a type of objects in an object', { type: { type: 'string' } }],
    ['an unknown type', 'unknown'],
    [
      'a type that is defined after its use',
      [record({ name: 'a', type: 'F' }), { type: 'fixed', name: 'F', size: 1 }],
    ],
    ['a union in a union', [['int'], 'string']],
    ['a type twice in a union', ['int', 'int']],
    [
      'two arrays in a union',
      [
        { type: 'array', items: 'int' },
        { type: 'array', items: 'string' },
      ],
    ],
    ['a record without fields', { type: 'record', name: 'R' }],
    ['a record without a name', { type: 'record', fields: [] }],
    ['a name with a space', { type: 'record', name: 'a b', fields: [] }],
    ['a name with a dash', { type: 'record', name: 'a-b', fields: [] }],
    ['a name with a dash behind a namespace', { type: 'record', name: 'a.b-c', fields: [] }],
    ['a name that begins with a digit', { type: 'fixed', name: '1F', size: 1 }],
    ['an empty name', { type: 'record', name: '', fields: [] }],
    ['a name that ends with a dot', { type: 'record', name: 'a.b.', fields: [] }],
    ['an alias with a dash', { ...record(), aliases: ['a-b'] }],
    ['a field with a dash', record({ name: 'a-b', type: 'int' })],
    ['a field with an empty name', record({ name: '', type: 'int' })],
    ['a symbol that is empty', { type: 'enum', name: 'E', symbols: [''] }],
    ['the name of a primitive type', { type: 'record', name: 'string', fields: [] }],
    [
      'a name twice',
      [
        { type: 'fixed', name: 'F', size: 1 },
        { type: 'enum', name: 'F', symbols: ['A'] },
      ],
    ],
    ['a field twice', record({ name: 'a', type: 'int' }, { name: 'a', type: 'int' })],
    ['a field without a type', record({ name: 'a' })],
    ['a field without a name', record({ type: 'int' })],
    ['a field with an odd order', record({ name: 'a', type: 'int', order: 'up' })],
    ['a list in place of a field', { type: 'record', name: 'R', fields: [[]] }],
    ['fields in place of a list', { type: 'record', name: 'R', fields: {} }],
    ['aliases in place of a list', { ...record(), aliases: 'B' }],
    ['an enum without symbols', { type: 'enum', name: 'E' }],
    ['a symbol with a dash', { type: 'enum', name: 'E', symbols: ['a-b'] }],
    ['a symbol twice', { type: 'enum', name: 'E', symbols: ['A', 'A'] }],
    ['a default that is not a symbol', { type: 'enum', name: 'E', symbols: ['A'], default: 'B' }],
    ['an array without items', { type: 'array' }],
    ['a map without values', { type: 'map' }],
    ['a size below zero', { type: 'fixed', name: 'F', size: -1 }],
    ['a size that is not a number', { type: 'fixed', name: 'F', size: '1' }],
  ])('%s', (_, json) => {
    expect(() => textOf(json)).toThrow(expect.objectContaining({ code: 42201 }));
  });

  it.each<[unknown, unknown, boolean]>([
    ['int', 2 ** 31 - 1, true],
    ['int', 2 ** 31, false],
    ['int', -(2 ** 31), true],
    ['int', 1.5, false],
    ['int', '1', false],
    ['long', 2 ** 53, true],
    ['long', 1e20, false],
    ['double', 1, true],
    ['boolean', 0, false],
    ['string', null, false],
    ['bytes', '\u00ff', true],
    [['null', 'int'], null, true],
    [['null', 'int'], 1, true],
    [['null', 'int'], 'x', false],
    [{ type: 'array', items: 'int' }, [1, 2], true],
    [{ type: 'array', items: 'int' }, [1, null], false],
    [{ type: 'map', values: 'int' }, { a: 1 }, true],
    [{ type: 'map', values: 'int' }, [], false],
    [{ type: 'record', name: 'S', fields: [{ name: 'x', type: 'int' }] }, { x: 1 }, true],
    [{ type: 'record', name: 'S', fields: [{ name: 'x', type: 'int' }] }, {}, false],
    [{ type: 'record', name: 'S', fields: [{ name: 'x', type: 'int', default: 1 }] }, {}, true],
  ])('a field of type %j with the default %j: %s', (type, value, isValid) => {
    const schema = record({ name: 'a', type, default: value });
    if (isValid) expect(textOf(schema)).toContain('"default":');
    else expect(() => textOf(schema)).toThrow('not a value of its type');
  });
});

describe('hostile schemas', () => {
  const deep = (open: string, close: string, depth: number): string =>
    `${open.repeat(depth)}"int"${close.repeat(depth)}`;
  it.each([
    ['nested arrays', deep('{"type":"array","items":', '}', 100_000)],
    ['nested lists', deep('[', ']', 100_000)],
    ['a nested attribute', `{"type":"string","x":${deep('[', ']', 100_000)}}`],
    [
      'nested defaults',
      `{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":${deep('[', ']', 100_000)}}]}`,
    ],
    ['brackets that never close', '['.repeat(1_000_000)],
  ])('%s are refused', (_, text) => {
    expect(() => textOf(text)).toThrow(RegistryError);
  });

  it('brackets in text do not count as nesting', () => {
    expect(textOf({ type: 'string', x: '[{"\\'.repeat(1000) })).toContain('[{');
  });

  it('a long default of a wide union is refused', () => {
    const types = Array.from({ length: 3000 }, (_, i) => ({
      type: 'record',
      name: `T${i}`,
      fields: [{ name: 'f', type: 'int' }],
    }));
    const schema = record({
      name: 'a',
      type: { type: 'array', items: types },
      default: Array(3000).fill({ f: 'x' }),
    });
    expect(() => textOf(schema)).toThrow('not a value of its type');
    const late = [...types.slice(1), { ...types[0], fields: [{ name: 'f', type: 'string' }] }];
    const slow = record({
      name: 'a',
      type: { type: 'array', items: late },
      default: Array(3000).fill({ f: 'x' }),
    });
    expect(() => textOf(slow)).toThrow('too large to check');
  });
});
