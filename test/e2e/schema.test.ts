import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { ORDER } from '../../src/domain/messages/shop/order.ts';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { registerSchema, setLevel, testRegistry } from '../support/topics.ts';

const OWN: { readonly fields: readonly object[] } = ORDER.schema;

async function versions(subject: string): Promise<number> {
  const answer = await fetch(`${testRegistry()}/subjects/${subject}/versions`);
  return answer.ok ? ((await answer.json()) as number[]).length : 0;
}

/** The order schema with a field more. */
function withField(field: object): object {
  return { ...OWN, fields: [...OWN.fields, field] };
}

function save(shop: Shop, schema: object): string {
  const file = path.join(shop.folder, 'order.avsc');
  fs.writeFileSync(file, JSON.stringify(schema));
  return file;
}

describe('schema', () => {
  test('is shown, checked and registered, once', async () => {
    const shop = openShop();
    const subject = `${shop.topic}-value`;
    expect(await shop.json('schema show')).toMatchObject({
      subject,
      versions: [],
      latest: null,
      registered: null,
    });
    const before = await shop.ok('schema show');
    expect(before.stdout).toContain(`subject ${subject}: not registered`);
    expect(before.stderr).toContain('orderctl schema register');
    expect(await shop.json('schema check')).toMatchObject({ subject, compatible: true, differences: [] });
    expect(await versions(subject)).toBe(0);

    const made = await shop.json('schema register');
    expect(made).toMatchObject({ subject, registered: true, version: 1 });
    expect(await shop.json('schema register')).toMatchObject({ id: made.id, version: 1, registered: false });
    expect(await versions(subject)).toBe(1);
    const shown = await shop.json('schema show');
    expect(shown).toMatchObject({
      versions: [1],
      latest: { version: 1, id: made.id },
      registered: { id: made.id, version: 1, is_latest: true },
    });
    expect((await shop.ok('schema show')).stdout).toContain(
      `the order schema is version 1, id ${String(made.id)}, the latest`,
    );
  });

  test('those of other messages are registered by name, all or none', async () => {
    const shop = openShop();
    const [created, failed] = [`${shop.topic}.created`, `${shop.topic}.failed`];
    const names = `--topics orders.created=${created},payments.failed=${failed}`;
    expect(await shop.json(`schema check orders.created payments.failed ${names}`)).toMatchObject({
      schemas: [
        { message: 'orders.created', subject: `${created}-value`, compatible: true },
        { message: 'payments.failed', subject: `${failed}-value`, compatible: true },
      ],
    });
    const hintOf = async (line: string): Promise<string> => (await shop.ok(`${line} ${names}`)).stderr;
    const given = names.replace(/ (.*)/, " '$1'");
    expect(await hintOf('schema show orders.created')).toContain(
      `"orderctl ${given} schema register orders.created" registers it\n`,
    );
    expect(await hintOf('schema show --all')).toContain(
      `"orderctl ${given} schema register --all" registers the missing ones`,
    );
    await registerSchema(`${failed}-value`, { type: 'record', name: 'PaymentFailed', fields: [] });
    await setLevel(`${failed}-value`, 'BACKWARD');
    const refused = await shop.run(`schema register orders.created payments.failed ${names} -o json`);
    expect(refused.code).toBe(6);
    expect(failureOf(refused).message).toContain('the schema of payments.failed is not compatible');
    expect(await versions(`${created}-value`)).toBe(0);

    const made = await shop.json(`schema register orders.created ${names}`);
    expect(made).toMatchObject({ message: 'orders.created', subject: `${created}-value`, version: 1 });
    expect((await shop.ok(`schema show orders.created ${names}`)).stdout).toContain(
      `the schema of orders.created is version 1, id ${String(made.id)}, the latest`,
    );
    const all = (await shop.json(`schema show --all ${names}`)).schemas as { message: string }[];
    expect(all.length).toBeGreaterThan(15);
    expect(all.map(({ message }) => message)).not.toContain('dlq');
    for (const [line, code] of [
      ['schema show dlq', 'invalid_value'],
      ['schema check --all --file x.avsc', 'usage'],
    ] as const) {
      const result = await shop.run(`${line} -o json`);
      expect(result.code, line).toBe(2);
      expect(failureOf(result), line).toMatchObject({ code });
    }
  });

  test('one that is not compatible is 6, naming field and reason, and is not registered', async () => {
    const shop = openShop();
    const subject = `${shop.topic}-value`;
    await registerSchema(subject, OWN);
    await setLevel(subject, 'BACKWARD');
    const file = save(shop, withField({ name: 'discount', type: 'int' }));
    const checked = await shop.run(`schema check --file ${file} -o json`);
    expect(checked.code).toBe(6);
    expect(JSON.parse(checked.stdout)).toMatchObject({
      compatible: false,
      compatibility: 'BACKWARD',
      differences: [{ field: 'discount', version: 1, direction: 'backward' }],
    });
    const failure = failureOf(checked);
    expect(failure).toMatchObject({ code: 'incompatible_schema', exit_code: 6 });
    expect(failure.message).toContain('discount: the writer does not have it, and it has no default');
    const registered = await shop.run(`schema register --file ${file}`);
    expect(registered.code).toBe(6);
    expect(registered.stderr).toContain('discount: the writer does not have it');
    expect(registered.stderr).toContain('fix:');
    expect(await versions(subject)).toBe(1);
  });

  test('one with a default becomes the next version, and ours is no longer the latest', async () => {
    const shop = openShop();
    const subject = `${shop.topic}-value`;
    await registerSchema(subject, OWN);
    await setLevel(subject, 'FULL_TRANSITIVE');
    const file = save(shop, withField({ name: 'discount', type: 'int', default: 0 }));
    expect((await shop.ok(`schema check --file ${file}`)).stdout).toContain('can be registered');
    expect(await shop.json(`schema register --file ${file}`)).toMatchObject({ version: 2, registered: true });
    expect(await shop.json('schema show')).toMatchObject({
      versions: [1, 2],
      registered: { version: 1, is_latest: false },
    });
    // The other way round of FULL: version 2 is read without the field.
    const dropped = save(shop, { ...OWN, fields: OWN.fields.slice(0, -1) });
    const refused = await shop.run(`schema check --file ${dropped} -o json`);
    expect(refused.code).toBe(6);
    expect(JSON.parse(refused.stdout)).toMatchObject({
      differences: expect.arrayContaining([
        expect.objectContaining({ field: 'created_at', direction: 'forward', version: 1 }),
        expect.objectContaining({ field: 'created_at', direction: 'forward', version: 2 }),
      ]) as unknown,
    });
  });

  test('with the level NONE everything is taken, with a warning of what would not fit', async () => {
    const shop = openShop();
    const subject = `${shop.topic}-value`;
    await registerSchema(subject, OWN);
    await setLevel(subject, 'NONE');
    const file = save(shop, withField({ name: 'discount', type: 'int' }));
    const { stderr } = await shop.ok(`schema check --file ${file}`);
    expect(stderr).toContain('NONE');
    expect(stderr).toContain('discount: the writer does not have it');
  });

  test('files that hold no schema, and a registry that is not there, have their codes', async () => {
    const shop = openShop();
    const broken = path.join(shop.folder, 'broken.avsc');
    fs.writeFileSync(broken, '{"type":\njunk}');
    const none = save(shop, { type: 'nothing' });
    const refused: [string, number, string, string?][] = [
      [`--file ${shop.folder}/none.avsc`, 3, 'not_found', '/none.avsc does not exist'],
      [`--file ${shop.folder}`, 2, 'invalid_value'],
      [
        `--file ${broken}`,
        6,
        'invalid_input',
        '/broken.avsc:2 is not valid JSON: a value is expected, not "j"',
      ],
      [`--file ${none}`, 6, 'invalid_input'],
      [`--registry http://127.0.0.1:${await closedPort()}`, 5, 'registry_unreachable'],
    ];
    for (const [args, code, name, message = ''] of refused) {
      const result = await shop.run(`schema check ${args} -o json`);
      expect(result.code, result.stderr).toBe(code);
      const failure = failureOf(result);
      expect(failure).toMatchObject({ code: name });
      expect(failure.message).toContain(message);
    }
    expect((await shop.run('schema remove')).code).toBe(2);
  });
});
