import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { freePort } from '../../deploy/kafka/services.mjs';
import { finish, runOrderctl, startOrderctl } from '../support/cli.ts';
import { startDev } from '../support/dev-service.ts';
import { absent, python, runs } from '../support/peers.ts';
import { startTestPostgres } from '../support/postgres.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

/** What deploy/docker and deploy/kubernetes start, started by its command lines as they are written. */

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy');
const COMPOSE = path.join(DEPLOY, 'docker/docker-compose.yml');
const KUBERNETES = path.join(DEPLOY, 'kubernetes');
const TOKEN = 't'.repeat(32);
const COMMAND_MS = 120_000;
const makeFolder = temporaryFolder();

const withoutCompose = absent(
  'docker-compose',
  () => runs('docker-compose', ['--version']),
  'apt-get install docker-compose',
);
const chdb = process.env.ORDERCTL_TEST_CHDB ?? python;
const withoutValidator = absent(
  'kubernetes-validate',
  () => runs(chdb, ['-c', 'import kubernetes_validate']),
  'pip install -r test/deploy/peers/requirements.txt in a venv, and set ORDERCTL_TEST_CHDB to its python',
);

/** A container of ours. */
interface Part {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Ends by itself, before the others start. */
  readonly isJob: boolean;
  /** What shows whether it works: paths of its port. */
  readonly probes: readonly string[];
  /** Or a command. */
  readonly check: readonly string[];
}

interface ComposeService {
  readonly image: string;
  readonly profiles?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean };
}

function servicesOfCompose(): Readonly<Record<string, ComposeService>> {
  const text = fs.readFileSync(COMPOSE, 'utf8').replaceAll(/\$\{\w+:-(\w+)\}/g, '$1');
  const { services } = parse(text, { merge: true }) as { services: Record<string, ComposeService> };
  return services;
}

function partsOfCompose(): readonly Part[] {
  return Object.entries(servicesOfCompose())
    .filter(([, { image, profiles }]) => image === 'orderctl' && profiles?.includes('all'))
    .map(([name, { command = [], environment = {}, healthcheck = {} }]) => ({
      name,
      args: command,
      env: environment,
      probes: [],
      isJob: healthcheck.disable === true,
      check: healthcheck.test?.slice(1) ?? [],
    }));
}

interface Container {
  readonly name: string;
  readonly args: readonly string[];
  readonly resources: Readonly<Record<'requests' | 'limits', { readonly memory: string }>>;
  readonly [probe: `${string}Probe`]: { readonly httpGet: { readonly path: string } };
}

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly template: {
      readonly spec: {
        readonly initContainers?: readonly Container[];
        readonly containers: readonly Container[];
      };
    };
  };
}

const kubernetesFiles = (): string[] =>
  fs
    .readdirSync(KUBERNETES)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => path.join(KUBERNETES, file));

const manifestsOfKubernetes = (): Manifest[] =>
  kubernetesFiles()
    .flatMap((file) => parseAllDocuments(fs.readFileSync(file, 'utf8')))
    .map((document) => document.toJS() as Manifest);

function partsOfKubernetes(): readonly Part[] {
  const manifests = manifestsOfKubernetes();
  const env = manifests.find(({ kind }) => kind === 'ConfigMap')?.data ?? {};
  const parts = manifests
    .filter(({ kind }) => kind === 'Job' || kind === 'Deployment')
    .flatMap(({ kind, metadata, spec }) => {
      const { initContainers = [], containers = [] } = spec?.template.spec ?? {};
      return [...initContainers, ...containers].map((container) => ({
        name: metadata.name,
        args: container.args,
        env,
        isJob: kind === 'Job',
        check: [],
        probes: Object.entries(container).flatMap(([key, value]) =>
          key.endsWith('Probe') ? [(value as { httpGet: { path: string } }).httpGet.path] : [],
        ),
      }));
    });
  return [...parts.filter(({ isJob }) => isJob), ...parts.filter(({ isJob }) => !isJob)];
}

/** Runs all parts on a database and brokers of this machine, and an order of each flow through them. */
async function runAll(parts: readonly Part[]): Promise<void> {
  const folder = makeFolder();
  const [dev, database] = await Promise.all([
    startDev({ folder: path.join(folder, 'dev') }),
    startTestPostgres(),
  ]);
  onTestFinished(async () => {
    await dev.stop();
    await database[Symbol.asyncDispose]();
  });
  const token = path.join(folder, 'api-token');
  fs.writeFileSync(token, `${TOKEN}\n`);
  const here: Record<string, string> = {
    'kafka:29092': dev.brokers,
    'kafka:9092': dev.brokers,
    'http://schema-registry:8080/apis/ccompat/v7': dev.registry,
    'http://schema-registry:8081': dev.registry,
    'postgres://orderctl@postgres:5432/orderctl': database.url,
    '/etc/orderctl/api-token': token,
  };
  const environment = (env: Part['env'] = {}): Record<string, string> =>
    Object.fromEntries(Object.entries(env).map(([name, value]) => [name, here[value] ?? value]));
  let api = '';
  const shop = async (...args: string[]): Promise<void> => {
    const env = environment(parts[0]?.env);
    expect(await runOrderctl(args, { env, cwd: folder, timeoutMs: COMMAND_MS })).toMatchObject({ code: 0 });
  };
  const running = [];
  for (const part of parts) {
    // A decision is final, so that nothing starts without users and items.
    if (!part.isJob && running.length === 0) {
      await shop('user', 'add', 'alice', '--status', 'paid');
      await shop('inventory', 'add', 'pen', '--quantity', '9', '--price', '1.50');
    }
    const port = await freePort();
    const url = `http://127.0.0.1:${port}`;
    const args = part.args.map((word, n) =>
      /^--(metrics-)?port$/.test(part.args[n - 1] ?? '') ? `${port}` : (here[word] ?? word),
    );
    const options = { env: environment(part.env), cwd: folder };
    const started = startOrderctl(args, options);
    if (part.isJob) {
      expect(await finish(started, part.name, COMMAND_MS), part.name).toMatchObject({ code: 0 });
      continue;
    }
    running.push({ part, started });
    if (part.args[0] === 'serve') api = url;
    for (const probe of part.probes.length === 0 ? ['/metrics'] : part.probes) {
      const headers = { authorization: `Bearer ${TOKEN}` };
      const asked = () => fetch(`${url}${probe}`, probe === '/metrics' ? { headers } : {});
      await waitFor(`${part.name} ${probe}`, asked, ({ status }) => status === 200, {
        timeoutMs: COMMAND_MS,
      });
    }
    const [program = '', ...rest] = part.check;
    if (program === '') continue;
    expect(program).toBe('node');
    const words = rest.map((word) => word.replace(/http:\/\/127\.0\.0\.1:\d+/, url));
    expect(spawnSync(process.execPath, words), part.name).toMatchObject({ status: 0 });
  }
  const call = async (where: string, body?: object): Promise<Record<string, unknown>> => {
    const response = await fetch(`${api}${where}`, {
      ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    });
    return (await response.json()) as Record<string, unknown>;
  };
  const order = { user: 'alice', item: 'pen', quantity: 2 };
  await call('/order', { ...order, order_id: 'D-1' });
  await call('/orders', { ...order, order_id: 'C-1', shipping_address: 'Ulm' });
  for (const id of ['D-1', 'C-1']) {
    const read = () => call(`/orders/${id}`);
    await waitFor(id, read, ({ status }) => status === 'COMPLETED', { timeoutMs: COMMAND_MS });
  }
  for (const { part, started } of running) {
    started.signal('SIGTERM');
    expect(await finish(started, part.name, COMMAND_MS), part.name).toMatchObject({ code: 0 });
  }
}

describe('the compose file', () => {
  test.skipIf(withoutCompose)('is one; without a profile it is Kafka, the registry and the UI', () => {
    const compose = (...args: readonly string[]) =>
      spawnSync('docker-compose', ['-f', COMPOSE, ...args], { encoding: 'utf8' });
    for (const profile of [
      [],
      ['--profile', 'all'],
      ['--profile', 'orderctl'],
      ['--profile', 'control-center'],
    ])
      expect(compose(...profile, 'config', '-q')).toMatchObject({ status: 0, stderr: '' });
    const bare = Object.entries(servicesOfCompose()).filter(([, { profiles }]) => profiles === undefined);
    expect(bare.map(([name]) => name)).toEqual(['kafka', 'schema-registry', 'ui']);
  });

  test('gives Connect what its files read from the environment', () => {
    const folder = path.join(DEPLOY, 'connect');
    const files = [
      'worker.properties',
      ...fs.readdirSync(path.join(folder, 'connectors')).map((one) => `connectors/${one}`),
    ];
    const read = files.map((file) => fs.readFileSync(path.join(folder, file), 'utf8')).join('');
    const names = new Set([...read.matchAll(/\$\{env:(\w+)\}/g)].map(([, name]) => name));
    const given = Object.keys(servicesOfCompose().connect?.environment ?? {}).filter(
      (name) => name !== 'KAFKA_HEAP_OPTS',
    );
    expect([...names].sort()).toEqual(given.sort());
  });

  test('has every service that Prometheus scrapes or hands alerts to', () => {
    const text = fs.readFileSync(path.join(DEPLOY, 'docker/prometheus.yml'), 'utf8');
    const services = Object.entries(servicesOfCompose())
      .filter(([, { profiles }]) => profiles?.includes('all'))
      .map(([name]) => name);
    const hosts = [...text.matchAll(/'([\w-]+):\d+'/g)].map(([, host]) => host);
    expect(hosts.toSorted()).toEqual(['alertmanager', 'checkout', 'messages', 'orders', 'serve', 'stock']);
    expect(services).toEqual(expect.arrayContaining(hosts));
  });

  test('runs the whole shop by its command lines', () => runAll(partsOfCompose()));
});

describe('the manifests for Kubernetes', () => {
  test.skipIf(withoutValidator)('are valid', () => {
    const args = ['-m', 'kubernetes_validate', '--strict', ...kubernetesFiles()];
    const { status, stdout, stderr } = spawnSync(chdb, args, { encoding: 'utf8' });
    expect(status, `${stdout}${stderr}`).toBe(0);
    expect(stdout + stderr).toContain('deployment/orderctl-serve');
  });

  test('request memory that docs/capacity.md has measured, and are limited to twice that', () => {
    const page = fs.readFileSync(path.join(DEPLOY, '../docs/capacity.md'), 'utf8');
    const [, table = ''] = /^## Memory\n(.*?)^## /ms.exec(page) ?? [];
    const measured = [...table.matchAll(/\| +(\d+) \|$/gm)].map(([, figure]) => Number(figure));
    const given = manifestsOfKubernetes()
      .filter(({ kind }) => kind === 'Deployment')
      .flatMap(({ metadata: { name }, spec }) =>
        (spec?.template.spec.containers ?? []).map(({ resources }) => ({
          name,
          requests: Number.parseInt(resources.requests.memory),
          limits: Number.parseInt(resources.limits.memory),
        })),
      );
    expect(given).toHaveLength(5);
    for (const { name, requests, limits } of given) {
      expect(measured, name).toContain(requests);
      expect(limits, name).toBe(2 * requests);
    }
  });

  test('run the whole shop by their command lines', () => runAll(partsOfKubernetes()));
});
