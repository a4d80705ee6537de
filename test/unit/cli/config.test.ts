import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveSettings, type FlagValues, type Resolved } from '../../../src/cli/settings/resolve.ts';
import { brokerConnection, registryConnection } from '../../../src/cli/kafka/connection.ts';
import { SETTINGS, type SettingName } from '../../../src/cli/settings/table.ts';
import { Failure } from '../../../src/domain/failure.ts';
import { fixText } from '../../support/ways-out.ts';

let root = '';
let cwd = '';

beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'orderctl-config-')));
  cwd = join(root, 'a/b');
  mkdirSync(cwd, { recursive: true });
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function settle(flags: FlagValues = {}, env: Record<string, string> = {}): Resolved {
  return resolveSettings({ flags, env, cwd });
}

function failureOf(run: () => unknown): Failure {
  try {
    run();
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

function writeSettings(content: unknown, folder = root): string {
  const file = join(folder, 'orderctl.json');
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** Four values of each setting, as text: one for each source. */
const VALUES: Readonly<Partial<Record<SettingName, readonly [flag: string, env: string, file: string]>>> = {
  alerts: ['log', 'smtp://mail?from=a@b.c', 'https://hook.example/x'],
  low_stock: ['5', '6', '7'],
  gateway: ['local', 'http://127.0.0.1:8090', 'https://pay.example/v1'],
  gateway_key_ttl: ['1h', '2h', '3d'],
  gateway_retries: ['1s', '1s,5m', '2s,1h'],
  templates: ['/flag', '/env', '/file'],
  archive: ['/flag', '/env', '/file'],
  dispatch: ['auto', 'manual', 'auto'],
  dispatch_delay: ['1s', '30m', '2h'],
  users: ['optional', 'required', 'optional'],
  storage: ['/flag', '/env', '/file'],
  store: ['/flag', 'postgres://me@env/shop', '/file'],
  brokers: ['flag:1', 'env:2', 'file:3,file:4'],
  registry: ['http://flag', 'https://env:8081/apis/ccompat/v7', 'http://file'],
  topic: ['flag', 'env', 'file'],
  dlq_topic: ['flag', 'env', 'file'],
  topics: ['orders.created=flag', 'orders.created=env', 'orders.created=file,dlq=poison'],
  group: ['flag', 'env', 'file'],
  principal: ['User:flag', 'User:env', 'User:{role}'],
  output: ['json', 'text', 'json'],
  log_level: ['debug', 'warn', 'error'],
  tls_ca: ['/flag', '/env', '/file'],
  tls_cert: ['/flag', '/env', '/file'],
  tls_key: ['/flag', '/env', '/file'],
  sasl_mechanism: ['plain', 'scram-sha-256', 'scram-sha-512'],
  sasl_username: ['flag', 'env', 'file'],
  registry_username: ['flag', 'env', 'file'],
};

describe('every setting comes from each source, in order', () => {
  for (const spec of SETTINGS) {
    const { name, env: variable } = spec;
    if ('isSecret' in spec || 'isFile' in spec) continue;
    it(name, () => {
      const values = VALUES[name];
      const [flag, inEnv, inFile] = values ?? [true, '1', true];
      const env = { [variable]: inEnv };
      const asFound = (text: unknown): unknown => (values === undefined ? true : text);

      const nothing = settle().byName.get(name);
      expect(nothing).toMatchObject({ source: 'default', from: null });

      const file = writeSettings({ [name]: inFile });
      expect(settle().byName.get(name)).toEqual({ value: asFound(inFile), source: 'file', from: file });
      expect(settle({}, env).byName.get(name)).toEqual({
        value: asFound(inEnv),
        source: 'environment',
        from: variable,
      });
      expect(settle({ [name]: flag }, env).byName.get(name)).toEqual({
        value: asFound(flag),
        source: 'flag',
        from: `--${name.replaceAll('_', '-')}`,
      });
      expect(settle({}, { [variable]: '' }).byName.get(name)?.source).toBe('file');
    });
  }

  it('has the defaults of the contract', () => {
    expect(settle().settings).toMatchObject({
      storage: join(cwd, 'storage'),
      brokers: '127.0.0.1:9092',
      registry: 'http://127.0.0.1:8081',
      topic: 'orders',
      dlqTopic: 'orders.dlq',
      group: 'orderctl',
      output: 'text',
      logLevel: 'info',
      quiet: false,
      noColor: false,
      tls: false,
      saslMechanism: null,
    });
    expect(settle({ topic: 'shop' }).settings.dlqTopic).toBe('shop.dlq');
  });
});

describe('a store on a primary and its standbys', () => {
  it.each([
    ['postgres://me@a:1,b:2/shop', 'postgres://me@a,b/shop?port=1,2'],
    [
      'postgres://me@a,b:2,c/shop?sslmode=require',
      'postgres://me@a,b,c/shop?sslmode=require&port=5432,2,5432',
    ],
    ['postgres://me@a,b/shop?port=1,2', 'postgres://me@a,b/shop?port=1,2'],
  ])('%s is %s', (given, store) => {
    expect(settle({ store: given }).settings.storage).toBe(store);
  });

  it('may have a password, which is masked', () => {
    const settled = settle({}, { ORDERCTL_STORE: 'postgres://me:se,cret@a:1,b:2/shop' });
    expect(settled.settings).toMatchObject({
      storage: 'postgres://me@a,b/shop?port=1,2',
      storePassword: 'se,cret',
    });
    expect(settled.byName.get('store')?.value).toBe('postgres://me:********@a,b/shop?port=1,2');
  });
});

describe('the settings file', () => {
  it('is the one that is named by flag or environment, relative to the working directory', () => {
    writeSettings({ topic: 'nearest' });
    const [north, south] = ['north.json', 'south.json'].map((name) => join(cwd, name)) as [string, string];
    writeFileSync(north, JSON.stringify({ topic: 'north', storage: 'data' }));
    writeFileSync(south, JSON.stringify({ topic: 'south' }));
    const env = { ORDERCTL_CONFIG: south };
    expect(settle({ config: 'north.json' }, env)).toMatchObject({
      file: north,
      settings: { topic: 'north', storage: join(cwd, 'data') },
    });
    expect(settle({}, env)).toMatchObject({ file: south, settings: { topic: 'south' } });
    expect(settle({}, { ORDERCTL_CONFIG: '' }).settings.topic).toBe('nearest');
  });

  it('must be there when it is named, and names no other', () => {
    const gone = failureOf(() => settle({ config: 'none.json' }));
    expect(gone).toMatchObject({ code: 'invalid_settings', fix: 'name another with --config' });
    expect(gone.message).toBe(`${join(cwd, 'none.json')} does not exist`);
    writeSettings({ config: 'other.json' });
    expect(failureOf(() => settle()).message).toContain('config: a settings file cannot name another');
  });

  it('is the nearest one, and its paths are relative to it', () => {
    writeSettings({ topic: 'far', group: 'far' });
    const near = writeSettings({ topic: 'near', storage: 'data' }, join(root, 'a'));
    const { settings, file } = settle();
    expect(file).toBe(near);
    expect(settings).toMatchObject({ topic: 'near', group: 'orderctl', storage: join(root, 'a/data') });
    expect(settle({ storage: 'data' }).settings.storage).toBe(join(cwd, 'data'));
  });

  it('may name topics by message in an object', () => {
    const topics = { 'orders.created': 'shop.orders', 'payments.failed.dlq': 'unpaid' };
    writeSettings({ topic: 'direct', topics });
    expect([...settle().settings.topics]).toEqual([
      ['orders', 'direct'],
      ['orders.dlq', 'direct.dlq'],
      ...Object.entries(topics),
    ]);
    writeSettings({ topics: ['orders.created'] });
    expect(failureOf(() => settle())).toMatchObject({ code: 'invalid_settings' });
    writeSettings({ topics: { 'orders.created': 7 } });
    expect(settle().settings.topics.get('orders.created')).toBe('7');
  });

  it('takes an unknown key for a mistake, and names the one that was meant', () => {
    const file = writeSettings({ topci: 'x' });
    const failure = failureOf(() => settle());
    expect(failure).toMatchObject({ code: 'invalid_settings', fix: 'did you mean topic?' });
    expect(failure.message).toContain(`${file}: topci`);
    expect(failure.context).toEqual({ file });
    writeSettings({ 'dlq-topic': 'x' });
    expect(failureOf(() => settle()).fix).toBe('did you mean dlq_topic?');
  });

  it.each([
    [{ topic: 5 }, 'topic is a number'],
    [{ brokers: ['a:1'] }, 'brokers is an array'],
    [{ tls: 'yes' }, 'tls is a string'],
    [{ registry: {} }, 'registry is an object'],
    [{ output: 'yaml' }, 'output: "yaml" is not one of text, json'],
    [['x'], 'is not a JSON object'],
    ['{"topic": ', 'is not valid JSON'],
  ])('refuses %j', (content, message) => {
    writeSettings(content);
    const failure = failureOf(() => settle());
    expect(failure.code).toBe('invalid_settings');
    expect(failure.message).toContain(message);
  });

  it('says in which line it is broken, without quoting it', () => {
    const file = writeSettings('{\n  "topic": "x",\n  "sasl_password": "hunter2",\n}');
    const failure = failureOf(() => settle());
    expect(failure.message).toBe(`${file}:4 is not valid JSON`);
    expect(JSON.stringify(failure)).not.toContain('hunter2');
  });

  it('refuses a password, and does not repeat it', () => {
    writeSettings({ sasl_password: 'hunter2' });
    const failure = failureOf(() => settle());
    expect(failure.code).toBe('invalid_settings');
    expect(`${failure.message} ${fixText(failure)}`).not.toContain('hunter2');
    expect(failure.fix).toContain('ORDERCTL_SASL_PASSWORD_FILE');
  });
});

describe('values', () => {
  it.each([
    [{ brokers: 'kafka' }, '--brokers'],
    [{ brokers: 'kafka:0' }, '--brokers'],
    [{ brokers: 'kafka:70000' }, '--brokers'],
    [{ brokers: 'a:1,,b:2' }, '--brokers'],
    [{ brokers: '' }, '--brokers'],
    [{ brokers: '[::1]:9092' }, 'IPv6'],
    [{ brokers: 'SSL://kafka:9093' }, '"SSL://kafka:9093" is not HOST:PORT'],
    [{ brokers: 'kafka-1:9092,http://kafka-2:8080/x' }, '"http://kafka-2:8080/x" is not HOST:PORT'],
    [{ registry: 'localhost:8081' }, '--registry'],
    [{ registry: 'ftp://x' }, '--registry'],
    [{ registry: 'http://x/?a=b' }, '--registry'],
    [{ topic: 'a b' }, '--topic'],
    [{ topic: '..' }, '--topic'],
    [{ topic: 'x'.repeat(250) }, '--topic'],
    [{ topic: 'x'.repeat(249) }, '--dlq-topic'],
    [{ topic: 'same', dlq_topic: 'same' }, '--dlq-topic'],
    [{ topics: 'orders.created' }, '"orders.created" is not MESSAGE=TOPIC'],
    [{ topics: 'orders.created=a=b' }, 'is not MESSAGE=TOPIC'],
    [{ topics: 'orders.created=a b' }, '"a b" is not a topic name'],
    [{ topics: 'orders=shop' }, '"orders=shop" has its own setting'],
    [{ topics: 'a=x,a=y' }, 'names a twice'],
    [{ topics: 'a=x,b=x' }, 'gives x to two messages'],
    [{ group: '' }, '--group'],
    [{ log_level: 'loud' }, '--log-level'],
    [{ storage: '' }, '--storage'],
  ] satisfies [FlagValues, string][])('refuses %j', (flags, named) => {
    const failure = failureOf(() => settle(flags));
    expect(failure).toMatchObject({ code: 'invalid_value' });
    expect(failure.message).toContain(named);
  });

  it('does not repeat a password that was put into an address', () => {
    for (const flags of [
      { registry: 'http://me:hunter2@registry' },
      { registry: '//me:hunter2@registry' },
      { brokers: 'me:hunter2@kafka:9092' },
    ]) {
      const failure = failureOf(() => settle(flags));
      expect(`${failure.message} ${fixText(failure)}`).not.toContain('hunter2');
    }
  });

  it.each([
    ['1', true],
    ['true', true],
    ['YES', true],
    ['0', false],
    ['false', false],
    ['no', false],
  ])('reads the switch %s', (text, value) => {
    expect(settle({}, { ORDERCTL_TLS: text }).settings.tls).toBe(value);
  });

  it('refuses another switch, and takes any NO_COLOR', () => {
    expect(failureOf(() => settle({}, { ORDERCTL_TLS: 'on' })).message).toContain('ORDERCTL_TLS');
    expect(settle({}, { NO_COLOR: '0' }).settings.noColor).toBe(true);
  });

  it('turns TLS on for a CA, unless it is turned off', () => {
    expect(settle({ tls_ca: 'ca.pem' }).byName.get('tls')).toEqual({
      value: true,
      source: 'implied',
      from: 'tls_ca',
    });
    expect(settle({ tls_ca: 'ca.pem' }, { ORDERCTL_TLS: 'false' }).settings.tls).toBe(false);
  });
});

describe('secrets', () => {
  const user = { ORDERCTL_SASL_USERNAME: 'shop', ORDERCTL_SASL_MECHANISM: 'plain' };

  function secretFile(mode: number, text = 'hunter2\n'): string {
    const file = join(root, 'secret');
    writeFileSync(file, text);
    chmodSync(file, mode);
    return file;
  }

  it('come from the environment or a file of the owner alone', () => {
    const direct = settle({}, { ...user, ORDERCTL_SASL_PASSWORD: 'hunter2' });
    const { sasl } = brokerConnection(direct);
    expect(sasl).toMatchObject({ mechanism: 'plain', username: 'shop' });
    expect(sasl?.password()).toBe('hunter2');
    const file = secretFile(0o600);
    const fromFile = settle({}, { ...user, ORDERCTL_SASL_PASSWORD_FILE: file });
    const signIn = brokerConnection(fromFile).sasl;
    expect(signIn?.password()).toBe('hunter2');
    writeFileSync(file, 'changed');
    expect(signIn?.password()).toBe('changed');
    // Half written: the one that was read before.
    writeFileSync(file, '');
    expect(signIn?.password()).toBe('hunter2');
    writeFileSync(file, 'hunter2');
    expect(fromFile.secret('sasl_password').from).toBe(`ORDERCTL_SASL_PASSWORD_FILE=${file}`);
  });

  it.each([0o640, 0o604, 0o620])('refuse a file of mode %o', (mode) => {
    const env = { ...user, ORDERCTL_SASL_PASSWORD_FILE: secretFile(mode) };
    const failure = failureOf(() => brokerConnection(settle({}, env)));
    expect(failure).toMatchObject({ code: 'invalid_settings', context: { file: join(root, 'secret') } });
  });

  it('refuse a missing or empty file, and both ways at once', () => {
    const missing = { ...user, ORDERCTL_SASL_PASSWORD_FILE: join(root, 'none') };
    expect(failureOf(() => brokerConnection(settle({}, missing))).message).toContain('ENOENT');
    const empty = { ...user, ORDERCTL_SASL_PASSWORD_FILE: secretFile(0o600, '\n') };
    expect(failureOf(() => brokerConnection(settle({}, empty))).message).toContain('is empty');
    const both = { ...user, ORDERCTL_SASL_PASSWORD: 'x', ORDERCTL_SASL_PASSWORD_FILE: 'y' };
    expect(failureOf(() => brokerConnection(settle({}, both))).message).toContain('both set');
  });

  it('need their user, and users their secret', () => {
    expect(brokerConnection(settle()).sasl).toBeNull();
    expect(failureOf(() => brokerConnection(settle({}, user))).fix).toContain('ORDERCTL_SASL_PASSWORD');
    expect(failureOf(() => brokerConnection(settle({}, { ORDERCTL_SASL_PASSWORD: 'x' }))).fix).toContain(
      '--sasl-username',
    );
    const noMechanism = { ORDERCTL_SASL_USERNAME: 'shop', ORDERCTL_SASL_PASSWORD: 'x' };
    expect(failureOf(() => brokerConnection(settle({}, noMechanism))).fix).toContain('--sasl-mechanism');
    expect(failureOf(() => registryConnection(settle({ registry_username: 'shop' }))).code).toBe(
      'invalid_settings',
    );
    const registry = { ORDERCTL_REGISTRY_USERNAME: 'shop', ORDERCTL_REGISTRY_PASSWORD: 'x' };
    expect(registryConnection(settle({}, registry)).credentials).toEqual({ username: 'shop', password: 'x' });
  });

  it('are not asked for before they are needed', () => {
    expect(settle({}, { ...user, ORDERCTL_SASL_PASSWORD_FILE: secretFile(0o644) }).settings.topic).toBe(
      'orders',
    );
  });
});

it('needs a certificate and its key together', () => {
  expect(failureOf(() => brokerConnection(settle({ tls_cert: 'c.pem' }))).fix).toBe('add --tls-key');
  expect(failureOf(() => brokerConnection(settle({ tls_key: 'k.pem' }))).fix).toBe('add --tls-cert');
  expect(brokerConnection(settle({ tls_cert: 'c.pem', tls_key: 'k.pem' })).tls).toEqual({
    ca: null,
    cert: join(cwd, 'c.pem'),
    key: join(cwd, 'k.pem'),
  });
});

it('understands an address as Kafka writes its listeners, and says what the others are given by', () => {
  const { settings } = settle({ brokers: 'PLAINTEXT://kafka-1:9092, plaintext://kafka-2:9092' });
  expect(settings.brokers).toBe('kafka-1:9092,kafka-2:9092');
  const fixOf = (brokers: string): string => fixText(failureOf(() => settle({ brokers })));
  expect(fixOf('SSL://kafka:9093')).toBe('use kafka:9093, with --tls');
  expect(fixOf('SASL_SSL://kafka:9094')).toBe(
    'use kafka:9094, with --tls, --sasl-mechanism and --sasl-username',
  );
  expect(fixOf('SASL_PLAINTEXT://kafka:9095')).toBe(
    'use kafka:9095, with --sasl-mechanism and --sasl-username',
  );
  expect(fixOf('http://kafka:8080/path')).toBe('use kafka:8080');
  expect(fixOf('2001:db8::1:9092')).toBe('use a host name');
});
