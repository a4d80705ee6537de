import avsc from 'avsc';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createInspector } from '../../../src/adapters/avro/inspect.ts';
import { findJsonError } from '../../../src/adapters/avro/json-error.ts';
import type { Inspection, ValueInspector } from '../../../src/ports/inspector.ts';
import type { Headers } from '../../../src/ports/record.ts';
import { FakeRegistry } from '../../support/fake-registry.ts';

const SCHEMA = {
  type: 'record',
  name: 'Everything',
  fields: [
    { name: 'id', type: 'string' },
    { name: 'n', type: ['null', 'long'] },
    {
      name: 'list',
      type: { type: 'array', items: { type: 'record', name: 'L', fields: [{ name: 'q', type: 'int' }] } },
    },
    { name: 'tags', type: { type: 'map', values: 'boolean' } },
    { name: 'kind', type: { type: 'enum', name: 'K', symbols: ['a', 'b'] } },
    { name: 'price', type: { type: 'bytes', logicalType: 'decimal', precision: 10, scale: 2 } },
    { name: 'hash', type: { type: 'fixed', name: 'H', size: 2 } },
    { name: 'x', type: 'double' },
  ],
} as const;

let registry: FakeRegistry;
let inspector: ValueInspector;
beforeAll(async () => {
  registry = await FakeRegistry.start();
  inspector = createInspector({ url: registry.url, credentials: null });
});
afterAll(() => registry.stop());

function inspect(value: Buffer | null, headers: Headers = []): Promise<Inspection> {
  return inspector.inspect({ value, headers });
}

function head(id: number): Buffer {
  const bytes = Buffer.alloc(5);
  bytes.writeInt32BE(id, 1);
  return bytes;
}

describe('a value taken apart', () => {
  const value = {
    id: 'o-1',
    n: 7,
    list: [{ q: 1 }, { q: -2 }],
    tags: { ok: true },
    kind: 'b',
    price: Buffer.from([4, 226]),
    hash: Buffer.from([1, 255]),
    x: 1.5,
  };
  const whole = avsc.Type.forSchema(SCHEMA as unknown as avsc.Schema).toBuffer(value);

  it('is shown field by field, each with the byte where it begins', async () => {
    const id = registry.add('s', SCHEMA);
    const found = await inspect(Buffer.concat([head(id), whole]));
    expect(found).toMatchObject({ format: 'avro', schemaId: id, isCut: false, error: null });
    expect(found.fields.map(({ path, type, value: text }) => `${path} ${type} ${text}`)).toEqual([
      'id string "o-1"',
      'n long 7',
      'list[0].q int 1',
      'list[1].q int -2',
      'tags["ok"] boolean true',
      'kind enum "b"',
      'price decimal 12.50',
      'hash fixed 0x01ff',
      'x double 1.5',
    ]);
    expect(found.fields.map(({ position }) => position)).toEqual([5, 10, 12, 13, 19, 21, 22, 25, 27]);
  });

  it('is shown up to where it breaks, wherever it is cut', async () => {
    const id = registry.add('s', SCHEMA);
    for (let size = 0; size < whole.length; size += 1) {
      const found = await inspect(Buffer.concat([head(id), whole.subarray(0, size)]));
      expect(found.error?.position).toBeLessThanOrEqual(size + 5);
      expect(found.fields.every(({ position }) => position <= (found.error?.position ?? -1))).toBe(true);
    }
    const longer = await inspect(Buffer.concat([head(id), whole, Buffer.alloc(3)]));
    expect(longer.error).toEqual({ position: 5 + whole.length, message: '3 bytes follow the value' });
  });

  it('is bounded: many items are cut, claims of more than there is are refused', async () => {
    const ints = registry.add('i', { type: 'array', items: 'int' });
    const many = avsc.Type.forSchema({ type: 'array', items: 'int' }).toBuffer(Array(5_000).fill(1));
    const found = await inspect(Buffer.concat([head(ints), many]));
    expect(found).toMatchObject({ isCut: true, error: null });
    expect(found.fields).toHaveLength(300);
    const claims = await inspect(Buffer.concat([head(ints), Buffer.from([0xfe, 0xff, 0xff, 0xff, 0x0f])]));
    expect(claims.error?.message).toContain('2147483647 items');
    let type: unknown = 'null';
    for (let level = 0; level < 40; level += 1) {
      const next = level === 0 ? 'null' : `R${level - 1}`;
      const fields = [
        { name: 'a', type },
        { name: 'b', type: next },
      ];
      type = { type: 'record', name: `R${level}`, fields };
    }
    const deep = await inspect(head(registry.add('deep', type)));
    expect(deep.error?.message).toContain('too many parts to inspect');
  });

  it('is taken apart by the schema that a header names', async () => {
    const id = registry.add('s', SCHEMA);
    const byId = await inspect(whole, [['__value_schema_id', head(id)]]);
    expect(byId).toMatchObject({ format: 'avro', schemaId: id, schemaGuid: null, error: null });
    expect(byId.fields[0]).toMatchObject({ path: 'id', value: '"o-1"', position: 0 });
    const guid = '00112233-4455-6677-8899-aabbccddeeff';
    registry.add('g', SCHEMA, { guid });
    const header = Buffer.concat([Buffer.from([1]), Buffer.from(guid.replaceAll('-', ''), 'hex')]);
    const byGuid = await inspect(whole, [['__value_schema_id', header]]);
    expect(byGuid).toMatchObject({ format: 'avro', schemaId: null, schemaGuid: guid, error: null });
    expect(byGuid.fields).toEqual(byId.fields);
  });

  it('says what it is that it cannot take apart', async () => {
    expect(await inspect(null)).toMatchObject({ format: 'none' });
    expect(await inspect(Buffer.from('hello'))).toMatchObject({
      format: 'unknown',
      error: { position: 0 },
    });
    expect(await inspect(Buffer.from([0, 0]))).toMatchObject({
      format: 'avro',
      error: { position: 2 },
    });
    const unknown = await inspect(head(77_777));
    expect(unknown).toMatchObject({ format: 'avro', schemaId: 77_777, error: { position: 1 } });
    const other = registry.add('p', 'syntax = "proto3";', { schemaType: 'PROTOBUF' });
    expect((await inspect(head(other))).error?.message).toContain('PROTOBUF');
  });
});

describe('where a text stops being JSON', () => {
  it.each([
    ['{"a":1', 6, 'the end'],
    ['{"a" 1}', 5, '":"'],
    ['{a:1}', 1, 'a name in quotes'],
    ['{"a":01}', 6, '"," or "}"'],
    ['{"é":x}', 6, 'a value is expected, not "x"'],
    ['{"a":"b\nc"}', 7, 'control character'],
    ['{"a":"\\x"}', 6, 'escape'],
    ['{"a":"b', 7, 'a string does not end'],
    ['{"a":[1,]}', 8, 'a value is expected, not "]"'],
    ['{} {}', 3, 'follows the value'],
    ['{"a":tru}', 5, 'a value is expected'],
  ])('%j: byte %i', (text, position, message) => {
    const found = findJsonError(Buffer.from(text));
    expect(found?.position).toBe(position);
    expect(found?.message).toContain(message);
  });

  it('is nowhere in JSON, and somewhere in everything else', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.json().map((text) => text.slice(1)),
          fc.string(),
        ),
        (text) => {
          let isJson = true;
          try {
            JSON.parse(text);
          } catch {
            isJson = false;
          }
          expect(findJsonError(Buffer.from(text)) === null, text).toBe(isJson);
        },
      ),
    );
  });
});
