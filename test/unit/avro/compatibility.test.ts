import { describe, expect, it } from 'vitest';
import { findDifferences } from '../../../src/adapters/avro/compatibility.ts';
import { ORDER as ORDER_MESSAGE } from '../../../src/domain/messages/shop/order.ts';

const OWN = JSON.stringify(ORDER_MESSAGE.schema);

function record(...fields: object[]): object {
  return { type: 'record', name: 'R', fields };
}

function differences(reader: unknown, writer: unknown): [string, string][] {
  return findDifferences(JSON.stringify(reader), JSON.stringify(writer)).map(({ field, reason }) => [
    field,
    reason,
  ]);
}

const A_INT = { name: 'a', type: 'int' };

describe('what keeps a schema from reading what another wrote', () => {
  it('is nothing for the same schema, nor for one that only promotes, adds defaults or leaves out', () => {
    expect(findDifferences(OWN, OWN)).toEqual([]);
    expect(differences('long', 'int')).toEqual([]);
    expect(differences('string', 'bytes')).toEqual([]);
    expect(differences(['null', 'double'], 'float')).toEqual([]);
    expect(differences(record(A_INT, { name: 'b', type: 'int', default: 0 }), record(A_INT))).toEqual([]);
    expect(differences(record(A_INT), record(A_INT, { name: 'b', type: 'int' }))).toEqual([]);
    expect(differences(record({ ...A_INT, aliases: ['old'] }), record({ name: 'old', type: 'int' }))).toEqual(
      [],
    );
  });

  it('is reported by field', () => {
    expect(differences(record(A_INT, { name: 'b', type: 'int' }), record(A_INT))).toEqual([
      ['b', 'the writer does not have it, and it has no default'],
    ]);
    expect(differences('int', 'long')).toEqual([['', 'the writer has long, the reader int']]);
    expect(
      differences(
        record({ name: 'items', type: { type: 'array', items: record(A_INT) } }),
        record({ name: 'items', type: { type: 'array', items: record({ name: 'a', type: 'string' }) } }),
      ),
    ).toEqual([['items[].a', 'the writer has string, the reader int']]);
    expect(differences({ type: 'map', values: 'int' }, { type: 'map', values: 'string' })).toEqual([
      ['{}', 'the writer has string, the reader int'],
    ]);
    expect(differences(record(A_INT), record({ name: 'a', type: ['null', 'int'] }))).toEqual([
      ['a', 'the writer has null, the reader int'],
    ]);
    expect(differences(['null', 'int'], 'string')).toEqual([
      ['', 'the writer has string, the reader only null, int'],
    ]);
    const colour = (...symbols: string[]) => ({ type: 'enum', name: 'C', symbols });
    expect(differences(colour('red'), colour('red', 'blue'))).toEqual([
      ['', 'the reader lacks symbols: blue'],
    ]);
    expect(differences({ ...colour('red'), default: 'red' }, colour('red', 'blue'))).toEqual([]);
    expect(differences({ type: 'fixed', name: 'F', size: 4 }, { type: 'fixed', name: 'F', size: 5 })).toEqual(
      [['', 'the writer has 5 bytes, the reader 4']],
    );
    expect(differences(record(A_INT), { ...record(A_INT), name: 'Other' })[0]?.[1]).toContain(
      'the names differ',
    );
  });

  it('is no other name that the reader gives as an alias, so that a new field is the only complaint', () => {
    const lines = (line: object) => ({
      ...record({ name: 'items', type: { type: 'array', items: line } }),
      namespace: 'shop',
    });
    const old = { type: 'record', name: 'Line', fields: [A_INT] };
    const renamed = (fields: object[], aliases: string[]) =>
      lines({ type: 'record', name: 'OrderLine', aliases, fields });
    const b = { name: 'b', type: 'int' };
    const missing = ['items[].b', 'the writer does not have it, and it has no default'];
    for (const alias of ['Line', 'shop.Line']) {
      expect(differences(renamed([A_INT, { ...b, default: 0 }], [alias]), lines(old))).toEqual([]);
      expect(differences(renamed([A_INT, b], [alias]), lines(old))).toEqual([missing]);
    }
    // An alias is of the namespace it stands in, unless it says another.
    expect(differences(renamed([A_INT], ['other.Line']), lines(old))[0]?.[1]).toContain('the names differ');
    expect(differences(renamed([A_INT], []), lines(old))).toHaveLength(1);
  });

  it('looks at the field of the name itself before any alias', () => {
    const reader = record({ name: 'b', type: 'int', aliases: ['a'] });
    const a = { name: 'a', type: 'string' };
    const b = { name: 'b', type: 'int' };
    expect(differences(reader, record(a, b))).toEqual([]);
    expect(differences(reader, record(a))).toEqual([['b', 'the writer has string, the reader int']]);
  });

  it('is found in named types wherever they are used, and recursion ends', () => {
    const tree = (type: string) => ({
      type: 'record',
      name: 'Tree',
      namespace: 'n',
      fields: [
        { name: 'value', type },
        { name: 'left', type: ['null', 'Tree'] },
        { name: 'right', type: ['null', 'n.Tree'] },
      ],
    });
    expect(differences(tree('long'), tree('int'))).toEqual([]);
    expect(differences(tree('int'), tree('string'))).toContainEqual([
      'value',
      'the writer has string, the reader int',
    ]);
  });

  it('is looked for with bounded effort, whatever the schema', () => {
    // Each record holds two of the next: 2^40 places.
    let type: unknown = 'int';
    for (let level = 0; level < 40; level += 1) {
      type = {
        type: 'record',
        name: `R${level}`,
        fields: [
          { name: 'a', type },
          { name: 'b', type: level === 0 ? 'int' : `R${level - 1}` },
        ],
      };
    }
    expect(differences(type, type)).toEqual([]);
  });
});
