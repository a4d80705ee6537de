import { describe, expect, it } from 'vitest';
import { createSchemaTools } from '../../../src/adapters/avro/schema-tools.ts';
import { checkSchema, type SchemaCheck } from '../../../src/app/schema/check.ts';
import type { SchemaTools } from '../../../src/ports/schema-registry.ts';
import { given, openRegistry, record, type Ask } from '../dev-broker/registry/support.ts';

/* schema check against a registry that judges for itself: both have to say the same. */

async function open(): Promise<{ tools: SchemaTools; ask: Ask }> {
  const { registry, ask } = await openRegistry();
  return { tools: createSchemaTools({ url: registry.url, credentials: null }), ask };
}

function check(tools: SchemaTools, schema: object): Promise<SchemaCheck> {
  return checkSchema(tools, { subject: 's', schema: JSON.stringify(schema), name: 'new.avsc' });
}

const A = { name: 'a', type: 'int' };
const B = { name: 'b', type: 'string', default: '' };
const B_WITHOUT_DEFAULT = { name: 'b', type: 'string' };

describe('a schema against the versions that its level compares', () => {
  it.each<[string, object, boolean, [number, string, string][]]>([
    // Version 2 has b, version 1 has not.
    ['BACKWARD', record(A, B_WITHOUT_DEFAULT), true, []],
    ['BACKWARD_TRANSITIVE', record(A, B_WITHOUT_DEFAULT), false, [[1, 'backward', 'b']]],
    // Version 1 wants a, and so does version 2.
    ['FORWARD', record(B), false, [[2, 'forward', 'a']]],
    [
      'FORWARD_TRANSITIVE',
      record(B),
      false,
      [
        [1, 'forward', 'a'],
        [2, 'forward', 'a'],
      ],
    ],
    ['FORWARD_TRANSITIVE', record(A), true, []],
    ['FULL', record(A, B_WITHOUT_DEFAULT), true, []],
    ['FULL_TRANSITIVE', record(A, B_WITHOUT_DEFAULT), false, [[1, 'backward', 'b']]],
    ['FULL_TRANSITIVE', record(A, B), true, []],
    ['NONE', record({ name: 'c', type: 'int' }), true, [[2, 'backward', 'c']]],
  ])('%s: %j', async (level, schema, compatible, expected) => {
    const { tools, ask } = await open();
    await ask('PUT', '/config', { compatibility: 'NONE' });
    for (const version of [record(A), record(A, B)])
      await ask('POST', '/subjects/s/versions', given(version));
    await ask('PUT', '/config/s', { compatibility: level });
    const found = await check(tools, schema);
    expect(found.report).toMatchObject({ versions: [1, 2], compatibility: level });
    expect(found.compatible).toBe(compatible);
    expect(found.differences.map(({ version, direction, field }) => [version, direction, field])).toEqual(
      expected,
    );
  });

  it('a record that is renamed with an alias and has a new field is refused for the field alone', async () => {
    const { tools, ask } = await open();
    const lines = (line: object) => record({ name: 'items', type: { type: 'array', items: line } });
    const old = { type: 'record', name: 'Line', fields: [A] };
    await ask('POST', '/subjects/s/versions', given(lines(old)));
    const renamed = (...fields: object[]) => lines({ ...old, name: 'OrderLine', aliases: ['Line'], fields });
    expect(await check(tools, renamed(A, B))).toMatchObject({ compatible: true, differences: [] });
    const { compatible, differences } = await check(tools, renamed(A, B_WITHOUT_DEFAULT));
    expect(compatible).toBe(false);
    expect(differences).toEqual([
      {
        version: 1,
        direction: 'backward',
        field: 'items[].b',
        reason: 'the writer does not have it, and it has no default',
      },
    ]);
  });

  it('an alias beside a field of its own name is another field, and in its place the same', async () => {
    const { tools, ask } = await open();
    await ask('POST', '/subjects/s/versions', given(record(A)));
    const aliased = { name: 'n', type: 'int', aliases: ['a'] };
    expect(await check(tools, record(aliased))).toMatchObject({ compatible: true, differences: [] });
    const text = { ...aliased, type: 'string' };
    const { compatible, differences } = await check(tools, record(text));
    expect([compatible, differences.map(({ field }) => field)]).toEqual([false, ['n']]);
  });

  it.each([
    ['a namespace with a hyphen', { ...record(A), namespace: 'my-shop.orders' }, true],
    ['letters of other scripts', { ...record(A), name: 'Größe' }, true],
    ['a name with a hyphen', { ...record(A), name: 'my-order' }, false],
  ])('is a schema for us, and the registry says whether for it: %s', async (_what, schema, isTaken) => {
    const { tools } = await open();
    const registered = tools.registry.register('s', JSON.stringify(schema));
    if (isTaken) expect(await registered).toBe(1);
    else await expect(registered).rejects.toMatchObject({ code: 'invalid_input' });
    expect(() => tools.validate(JSON.stringify(schema), 'new.avsc')).not.toThrow();
  });
});
