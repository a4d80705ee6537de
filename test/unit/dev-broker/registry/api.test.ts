import net from 'node:net';
import { describe, expect, it } from 'vitest';
import { A, B, given, openRegistry, record, type Ask } from './support.ts';

const V1 = record(A);
const V2 = record(A, B);
const INCOMPATIBLE = record({ name: 'a', type: 'string' });
const textOf = (schema: object): string => JSON.stringify(schema);

async function expectError(answer: ReturnType<Ask>, status: number, code: number): Promise<void> {
  const { status: actual, body } = await answer;
  expect({ status: actual, code: (body as { error_code: number }).error_code }).toEqual({ status, code });
  expect((body as { message: string }).message).toMatch(/\S/);
}

describe('registering', () => {
  it('gives ids over all subjects and versions within each', async () => {
    const { ask } = await openRegistry();
    expect((await ask('GET', '/')).body).toEqual({});
    expect((await ask('GET', '/subjects')).body).toEqual([]);
    const first = await ask('POST', '/subjects/b/versions', given(V1));
    expect(first).toMatchObject({ status: 200, body: { id: 1 } });
    expect(first.headers.get('content-type')).toBe('application/vnd.schemaregistry.v1+json');
    expect((await ask('POST', '/subjects/b/versions', given(V2))).body).toEqual({ id: 2 });
    expect((await ask('POST', '/subjects/a/versions', given(V2))).body).toEqual({ id: 2 });
    expect((await ask('GET', '/subjects')).body).toEqual(['a', 'b']);
    expect((await ask('GET', '/subjects?subjectPrefix=b')).body).toEqual(['b']);
    expect((await ask('GET', '/subjects?offset=1&limit=5')).body).toEqual(['b']);
    expect((await ask('GET', '/subjects/b/versions')).body).toEqual([1, 2]);
    const latest = { subject: 'b', version: 2, id: 2, schema: textOf(V2) };
    expect((await ask('GET', '/subjects/b/versions/latest')).body).toEqual(latest);
    expect((await ask('GET', '/subjects/b/versions/-1')).body).toEqual(latest);
    expect((await ask('GET', '/subjects/b/versions/1')).body).toMatchObject({ version: 1, id: 1 });
    expect((await ask('GET', '/subjects/b/versions/1/schema')).body).toEqual(V1);
    expect((await ask('GET', '/schemas/ids/2')).body).toEqual({ schema: textOf(V2) });
    expect((await ask('GET', '/schemas/ids/1?fetchMaxId=true')).body).toEqual({
      schema: textOf(V1),
      maxId: 2,
    });
    expect((await ask('GET', '/schemas/ids/2/schema')).body).toEqual(V2);
    expect((await ask('GET', '/schemas/ids/2/subjects')).body).toEqual(['b', 'a']);
    expect((await ask('GET', '/schemas/ids/2/versions')).body).toEqual([
      { subject: 'b', version: 2 },
      { subject: 'a', version: 1 },
    ]);
    expect((await ask('GET', '/schemas/types')).body).toEqual(['AVRO']);
  });

  it('knows a schema again, whatever its white space and order', async () => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/s/versions', given(V1));
    const same = { schema: '{ "fields": [ {"type":"int", "name":"a"} ],\n "name":"R", "type":"record" }' };
    expect((await ask('POST', '/subjects/s/versions', same)).body).toEqual({ id: 1 });
    expect((await ask('POST', '/subjects/s', same)).body).toEqual({
      subject: 's',
      version: 1,
      id: 1,
      schema: textOf(V1),
    });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1]);
    const props = { schema: '{"type":"string","b":1,"a":2}' };
    const turned = { schema: '{"type":"string","a":2,"b":1}' };
    await ask('PUT', '/config', { compatibility: 'NONE' });
    expect((await ask('POST', '/subjects/n/versions?normalize=true', props)).body).toEqual({ id: 2 });
    expect((await ask('POST', '/subjects/n/versions?normalize=true', turned)).body).toEqual({ id: 2 });
    expect((await ask('POST', '/subjects/n/versions', props)).body).toEqual({ id: 3 });
  });

  it('keeps numbers that JavaScript cannot', async () => {
    const { ask } = await openRegistry();
    const schema = (value: string): object => ({
      schema: `{"type":"record","name":"R","fields":[{"name":"a","type":"long","default":${value}}]}`,
    });
    const ids = [];
    for (const value of ['9223372036854775807', '9223372036854775806']) {
      ids.push((await ask('POST', '/subjects/s/versions', schema(value))).body);
    }
    expect(ids).toEqual([{ id: 1 }, { id: 2 }]);
    expect((await ask('GET', '/schemas/ids/1')).body).toEqual(schema('9223372036854775807'));
  });

  it('takes any name of a subject, with slashes and names of objects', async () => {
    const { ask } = await openRegistry();
    for (const subject of ['a/b', 'ü ?#%', '__proto__', 'constructor']) {
      const path = `/subjects/${encodeURIComponent(subject)}/versions`;
      expect((await ask('POST', path, given(V1))).body).toEqual({ id: 1 });
      expect((await ask('GET', `${path}/latest`)).body).toMatchObject({ subject });
    }
    expect((await ask('GET', '/subjects')).body).toEqual(['__proto__', 'a/b', 'constructor', 'ü ?#%']);
    await expectError(ask('POST', '/subjects/a%0Ab/versions', given(V1)), 422, 42208);
  });

  it('refuses what is not compatible and says why', async () => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/s/versions', given(V1));
    const refused = ask('POST', '/subjects/s/versions', given(INCOMPATIBLE));
    await expectError(refused, 409, 409);
    expect((await refused).body).toMatchObject({
      message: expect.stringMatching(/subject "s".*TYPE_MISMATCH.*\/fields\/0\/type.*BACKWARD/) as string,
    });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1]);
  });

  it('asks all versions at a transitive level, and else the latest', async () => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/s/versions', given(record(A)));
    await ask('POST', '/subjects/s/versions', given(record(A, B)));
    // Version 2 has the field, version 1 has not.
    const third = given(record(A, { name: 'b', type: 'string' }));
    await ask('PUT', '/config/s', { compatibility: 'BACKWARD_TRANSITIVE' });
    await expectError(ask('POST', '/subjects/s/versions', third), 409, 409);
    await ask('PUT', '/config/s', { compatibility: 'BACKWARD' });
    expect((await ask('POST', '/subjects/s/versions', third)).body).toEqual({ id: 3 });
  });
});

describe('what is not there', () => {
  it.each<[string, string, unknown, number, number]>([
    ['GET', '/subjects/nix/versions', undefined, 404, 40401],
    ['GET', '/subjects/nix/versions/1', undefined, 404, 40401],
    ['GET', '/subjects/nix/versions/latest', undefined, 404, 40401],
    ['POST', '/subjects/nix', given(V1), 404, 40401],
    ['DELETE', '/subjects/nix', undefined, 404, 40401],
    ['DELETE', '/subjects/nix/versions/1', undefined, 404, 40401],
    ['GET', '/subjects/s/versions/7', undefined, 404, 40402],
    ['DELETE', '/subjects/s/versions/7', undefined, 404, 40402],
    ['POST', '/subjects/s', given(V2), 404, 40403],
    ['GET', '/schemas/ids/7', undefined, 404, 40403],
    ['GET', '/schemas/ids/7/subjects', undefined, 404, 40403],
    ['GET', '/schemas/ids/2147483648', undefined, 404, 40403],
    ['GET', '/schemas/ids/x', undefined, 404, 404],
    ['GET', '/subjects/s/versions/0', undefined, 422, 42202],
    ['GET', '/subjects/s/versions/-2', undefined, 422, 42202],
    ['GET', '/subjects/s/versions/x', undefined, 422, 42202],
    ['GET', '/subjects/s/versions/2147483648', undefined, 422, 42202],
    ['GET', '/config/s', undefined, 404, 40408],
    ['DELETE', '/config/s', undefined, 404, 40408],
    ['GET', '/mode/s', undefined, 404, 40409],
    ['PUT', '/config', { compatibility: 'SOMEHOW' }, 422, 42203],
    ['PUT', '/config/s', {}, 422, 42203],
    ['PUT', '/config/s', [], 422, 42203],
    ['POST', '/compatibility/subjects/s/versions/7', given(V1), 404, 40402],
    ['POST', '/compatibility/subjects/nix/versions/7', given(V1), 404, 40401],
    ['GET', '/nix', undefined, 404, 404],
    ['GET', '/subjects/s/versions/1/nix', undefined, 404, 404],
    ['PATCH', '/subjects', undefined, 405, 405],
    ['GET', '/subjects/%ff/versions', undefined, 400, 400],
  ])('%s %s', async (method, path, body, status, code) => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/s/versions', given(V1));
    await expectError(ask(method, path, body), status, code);
  });
});

describe('deleting', () => {
  it('first softly: hidden, but ids stay readable', async () => {
    const { ask } = await openRegistry();
    for (const schema of [V1, V2]) await ask('POST', '/subjects/s/versions', given(schema));
    await expectError(ask('DELETE', '/subjects/s/versions/2?permanent=true'), 404, 40407);
    expect((await ask('DELETE', '/subjects/s/versions/2')).body).toBe(2);
    await expectError(ask('DELETE', '/subjects/s/versions/2'), 404, 40406);
    await expectError(ask('GET', '/subjects/s/versions/2'), 404, 40402);
    await expectError(ask('POST', '/subjects/s', given(V2)), 404, 40403);
    expect((await ask('POST', '/subjects/s?deleted=true', given(V2))).body).toMatchObject({ version: 2 });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1]);
    expect((await ask('GET', '/subjects/s/versions?deleted=true')).body).toEqual([1, 2]);
    expect((await ask('GET', '/subjects/s/versions/2?deleted=true')).body).toMatchObject({ id: 2 });
    expect((await ask('GET', '/subjects/s/versions/latest')).body).toMatchObject({ version: 1 });
    expect((await ask('GET', '/schemas/ids/2')).body).toEqual({ schema: textOf(V2) });
    expect((await ask('GET', '/schemas/ids/2/subjects')).body).toEqual([]);
    expect((await ask('GET', '/schemas/ids/2/subjects?deleted=true')).body).toEqual(['s']);
    expect((await ask('POST', '/subjects/s/versions', given(V2))).body).toEqual({ id: 2 });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1, 3]);
  });

  it('a subject, then for good; its numbers are not given again', async () => {
    const { ask } = await openRegistry();
    for (const schema of [V1, V2]) await ask('POST', '/subjects/s/versions', given(schema));
    await ask('POST', '/subjects/other/versions', given(V2));
    await expectError(ask('DELETE', '/subjects/s?permanent=true'), 404, 40405);
    expect((await ask('DELETE', '/subjects/s')).body).toEqual([1, 2]);
    await expectError(ask('DELETE', '/subjects/s'), 404, 40404);
    await expectError(ask('GET', '/subjects/s/versions'), 404, 40401);
    expect((await ask('GET', '/subjects')).body).toEqual(['other']);
    expect((await ask('GET', '/subjects?deleted=true')).body).toEqual(['other', 's']);
    expect((await ask('DELETE', '/subjects/s?permanent=true')).body).toEqual([1, 2]);
    expect((await ask('GET', '/subjects?deleted=true')).body).toEqual(['other']);
    await expectError(ask('GET', '/schemas/ids/1'), 404, 40403);
    expect((await ask('GET', '/schemas/ids/2')).status).toBe(200);
    // A new id, a new version, and what was deleted speaks against nothing.
    expect((await ask('POST', '/subjects/s/versions', given(INCOMPATIBLE))).body).toEqual({ id: 3 });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([3]);
  });
});

describe('compatibility', () => {
  it('of a subject, or the global one', async () => {
    const { ask } = await openRegistry();
    expect((await ask('GET', '/config')).body).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect((await ask('PUT', '/config', { compatibility: 'forward' })).body).toEqual({
      compatibility: 'forward',
    });
    expect((await ask('GET', '/config')).body).toEqual({ compatibilityLevel: 'FORWARD' });
    expect((await ask('GET', '/config/s?defaultToGlobal=true')).body).toEqual({
      compatibilityLevel: 'FORWARD',
    });
    expect((await ask('PUT', '/config/s', { compatibility: 'FULL' })).status).toBe(200);
    expect((await ask('GET', '/config/s')).body).toEqual({ compatibilityLevel: 'FULL' });
    expect((await ask('DELETE', '/config/s')).body).toEqual({ compatibilityLevel: 'FULL' });
    expect((await ask('DELETE', '/config')).body).toEqual({ compatibilityLevel: 'FORWARD' });
    expect((await ask('GET', '/config')).body).toEqual({ compatibilityLevel: 'BACKWARD' });
    expect((await ask('GET', '/mode')).body).toEqual({ mode: 'READWRITE' });
    expect((await ask('GET', '/mode/s?defaultToGlobal=true')).body).toEqual({ mode: 'READWRITE' });
  });

  it('is asked for against one version, the latest, or as the level wants it', async () => {
    const { ask } = await openRegistry();
    const check = (version: string, schema: object, query = ''): Promise<unknown> =>
      ask('POST', `/compatibility/subjects/s/versions${version}${query}`, given(schema)).then(
        ({ body }) => body,
      );
    expect(await check('/latest', V1)).toEqual({ is_compatible: true });
    expect(await check('', V1)).toEqual({ is_compatible: true });
    await ask('POST', '/subjects/s/versions', given(record(A)));
    await ask('POST', '/subjects/s/versions', given(record(A, B)));
    const third = record(A, { name: 'b', type: 'string' });
    expect(await check('/1', third)).toEqual({ is_compatible: false });
    expect(await check('/2', third)).toEqual({ is_compatible: true });
    expect(await check('/latest', third)).toEqual({ is_compatible: true });
    expect(await check('', third)).toEqual({ is_compatible: true });
    expect(await check('/', third)).toEqual({ is_compatible: true });
    await ask('PUT', '/config', { compatibility: 'FULL_TRANSITIVE' });
    expect(await check('', third)).toEqual({ is_compatible: false });
    expect(await check('/latest', third, '?verbose=true')).toEqual({ is_compatible: true, messages: [] });
    expect(await check('/1', third, '?verbose=true')).toEqual({
      is_compatible: false,
      messages: [
        expect.stringContaining('READER_FIELD_MISSING_DEFAULT_VALUE') as string,
        '{oldSchemaVersion: 1}',
        `{oldSchema: '${textOf(V1)}'}`,
        "{compatibility: 'FULL_TRANSITIVE'}",
      ],
    });
    await ask('PUT', '/config', { compatibility: 'NONE' });
    expect(await check('/1', third)).toEqual({ is_compatible: true });
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1, 2]);
  });
});

describe('references', () => {
  const MONEY = {
    type: 'record',
    name: 'Money',
    namespace: 'shop',
    fields: [{ name: 'cents', type: 'long' }],
  };
  const PRICE = {
    type: 'record',
    name: 'Price',
    namespace: 'shop',
    fields: [{ name: 'net', type: 'Money' }],
  };
  const MONEY_1 = { name: 'shop.Money', subject: 'money', version: 1 };
  const PRICE_1 = { name: 'shop.Price', subject: 'price', version: 1 };

  it('bring types of other subjects in, and those that these need', async () => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/money/versions', given(MONEY));
    await expectError(ask('POST', '/subjects/price/versions', given(PRICE)), 422, 42201);
    const price = await ask('POST', '/subjects/price/versions', given(PRICE, { references: [MONEY_1] }));
    expect(price.body).toEqual({ id: 2 });
    const item = record({ name: 'price', type: 'shop.Price' }, { name: 'tax', type: 'shop.Money' });
    // By two ways to the same type; -1 is the latest version.
    const references = [{ ...PRICE_1, version: -1 }, MONEY_1];
    expect((await ask('POST', '/subjects/item/versions', given(item, { references }))).body).toEqual({
      id: 3,
    });
    expect((await ask('GET', '/schemas/ids/3')).body).toEqual({
      schema: textOf(item),
      references: [PRICE_1, MONEY_1],
    });
    expect((await ask('GET', '/subjects/item/versions/1')).body).toMatchObject({
      references: [PRICE_1, MONEY_1],
    });
    expect((await ask('GET', '/subjects/money/versions/1/referencedby')).body).toEqual([2, 3]);

    // A change inside what is referred to counts.
    const free = { ...MONEY, fields: [{ name: 'cents', type: 'string' }] };
    await ask('PUT', '/config/money', { compatibility: 'NONE' });
    await ask('POST', '/subjects/money/versions', given(free));
    const changed = given(PRICE, { references: [{ ...MONEY_1, version: 2 }] });
    await expectError(ask('POST', '/subjects/price/versions', changed), 409, 409);
  });

  it('hold what they refer to', async () => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/money/versions', given(MONEY));
    await ask('POST', '/subjects/price/versions', given(PRICE, { references: [MONEY_1] }));
    await expectError(ask('DELETE', '/subjects/money/versions/1'), 422, 42206);
    await expectError(ask('DELETE', '/subjects/money'), 422, 42206);
    await ask('DELETE', '/subjects/price');
    expect((await ask('DELETE', '/subjects/money')).body).toEqual([1]);
    await expectError(ask('DELETE', '/subjects/money?permanent=true'), 422, 42206);
    // What was registered before is still read with what it meant.
    expect((await ask('GET', '/schemas/ids/2')).status).toBe(200);
    await expectError(
      ask('POST', '/subjects/new/versions', given(PRICE, { references: [MONEY_1] })),
      422,
      42201,
    );
    await ask('DELETE', '/subjects/price?permanent=true');
    expect((await ask('DELETE', '/subjects/money?permanent=true')).body).toEqual([1]);
  });

  it.each<[string, unknown]>([
    ['to nothing', [{ name: 'x', subject: 'nix', version: 1 }]],
    ['to a version that is not there', [{ ...MONEY_1, version: 9 }]],
    ['without a version', [{ name: 'x', subject: 'money' }]],
    ['of another kind', 'money'],
    ['of nothing', [null]],
  ])('%s are refused', async (_, references) => {
    const { ask } = await openRegistry();
    await ask('POST', '/subjects/money/versions', given(MONEY));
    await expectError(ask('POST', '/subjects/price/versions', given(PRICE, { references })), 422, 42201);
  });
});

describe('who asks, and how', () => {
  it('with credentials: nothing without them', async () => {
    const { registry } = await openRegistry({ credentials: { username: 'shop', password: 'secret' } });
    const ask = (authorization?: string): Promise<Response> =>
      fetch(`${registry.url}/subjects`, { headers: authorization === undefined ? {} : { authorization } });
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    expect((await ask(basic('shop:secret'))).status).toBe(200);
    for (const wrong of [undefined, basic('shop:wrong'), basic('shop:'), 'Bearer secret']) {
      const refused = await ask(wrong);
      expect(refused.status).toBe(401);
      expect(refused.headers.get('www-authenticate')).toContain('Basic');
      expect(await refused.json()).toMatchObject({ error_code: 401 });
    }
  });

  it('under a path: nothing outside of it', async () => {
    const { registry, ask } = await openRegistry({ path: '/apis/ccompat/v7' });
    expect(registry.url).toMatch(/\/apis\/ccompat\/v7$/);
    expect(await ask('GET', '/subjects')).toMatchObject({ status: 200, body: [] });
    for (const path of ['/subjects', '/apis/ccompat/v7x/subjects', '/']) {
      expect((await fetch(new URL(path, registry.url))).status).toBe(404);
    }
  });

  it.each<[string, unknown, number, number]>([
    ['no JSON', 'nonsense', 400, 400],
    ['JSON that is cut', '{"schema":', 400, 400],
    ['nested JSON', '['.repeat(500_000), 400, 400],
    ['a list', [], 422, 422],
    ['null', 'null', 422, 422],
    ['a schema that is no text', { schema: {} }, 422, 42201],
    ['no schema', {}, 422, 42201],
    ['no Avro', given(V1, { schemaType: 'PROTOBUF' }), 422, 42201],
    ['a rule', given(V1, { ruleSet: { domainRules: [] } }), 422, 42201],
    ['odd Avro', { schema: '{"type":"record"}' }, 422, 42201],
    ['too much', given('x'.repeat(3_000_000)), 413, 413],
  ])('%s is refused', async (_, body, status, code) => {
    const { ask } = await openRegistry();
    await expectError(ask('POST', '/subjects/s/versions', body), status, code);
    expect((await ask('POST', '/subjects/s/versions', given(V1))).body).toEqual({ id: 1 });
  });

  it('a form, as a strange web page could send it, is refused', async () => {
    const { registry } = await openRegistry();
    const sent = { method: 'POST', body: JSON.stringify(given(V1)) };
    const answer = await fetch(`${registry.url}/subjects/s/versions`, sent);
    expect(answer.status).toBe(415);
    expect(await answer.json()).toMatchObject({ error_code: 415 });
  });

  it('a client that goes away in the middle of a request holds nothing up', async () => {
    const { registry, ask } = await openRegistry();
    const { hostname, port } = new URL(registry.url);
    const socket = net.connect(Number(port), hostname);
    await new Promise((resolve) => socket.once('connect', resolve));
    socket.write('POST /subjects/s/versions HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{"schema"');
    expect((await ask('GET', '/subjects')).status).toBe(200);
    socket.destroy();
    expect((await ask('GET', '/subjects')).body).toEqual([]);
  });
});
