import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dashboard } from '../../deploy/grafana/dashboard.ts';
import { openCheckoutShop } from '../support/checkout-shop.ts';
import { finish, fill, observe, type Running } from '../support/cli.ts';
import { closedPort } from '../support/closed-port.ts';
import { absent, runs } from '../support/peers.ts';
import { serve } from '../support/serve.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { waitFor } from '../support/wait.ts';

const DEPLOY = path.resolve(import.meta.dirname, '../../deploy/prometheus');
const makeFolder = temporaryFolder();

const withoutPrometheus = absent(
  'Prometheus',
  () => runs('prometheus', ['--version']) && runs('prometheus-alertmanager', ['--version']),
  'apt-get install prometheus prometheus-alertmanager',
);

function must(command: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', cwd: DEPLOY });
  expect(status, `${command} ${args.join(' ')}: ${stdout}${stderr}`).toBe(0);
  return stdout;
}

test.skipIf(withoutPrometheus)(
  'Prometheus takes the configuration, and each rule does what it is for',
  () => {
    must('promtool', 'check', 'config', 'prometheus.yml');
    must('amtool', 'check-config', 'alertmanager.yml');
    expect(must('promtool', 'test', 'rules', 'rules.test.yml')).toContain('SUCCESS');
  },
);

/** What a figure of a rule might be instead, by how it is written. */
const OTHER_FIGURES: readonly (readonly [RegExp, (figure: string) => readonly (number | string)[]])[] = [
  [/(?<=for: )\d+(?=m)/g, (minutes) => [0, 2 * Number(minutes)]],
  [/(?<=\[)\d+[mh](?=\])/g, (window) => [`${0.5 * secondsOf(window)}s`, `${2 * secondsOf(window)}s`]],
  [/(?<=> )(?:[1-9]\d*|0\.\d+)/g, (limit) => [0.9 * Number(limit), 1.1 * Number(limit)]],
  [/(?<=>) 0(?![.\d])/g, () => ['= 0']],
  [/(?<== )[01]/g, (value) => [1 - Number(value)]],
  [/(?<=quantile\()0\.\d+/g, (share) => [0.9 * Number(share), (1 + Number(share)) / 2]],
];
const secondsOf = (window: string): number => Number.parseInt(window) * (window.endsWith('h') ? 3_600 : 60);

/** A rule with one figure changed, in each way. */
function changed(rule: string): string[] {
  return OTHER_FIGURES.flatMap(([pattern, others]) =>
    [...rule.matchAll(pattern)].flatMap(({ 0: found, index }) =>
      others(found).map((other) => `${rule.slice(0, index)}${other}${rule.slice(index + found.length)}`),
    ),
  );
}

test.skipIf(withoutPrometheus)('no figure of a rule can be changed without a failure of its test', () => {
  const folder = makeFolder();
  fs.copyFileSync(path.join(DEPLOY, 'rules.test.yml'), path.join(folder, 'rules.test.yml'));
  const rules = fs
    .readFileSync(path.join(DEPLOY, 'rules.yml'), 'utf8')
    .split(/(?<=\n)(?= +- (?:alert|record):)/);
  const outputOf = (text: string): string => {
    fs.writeFileSync(path.join(folder, 'rules.yml'), text);
    const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', `${folder}/rules.test.yml`]);
    return status === 0 ? '' : `${stdout.toString()}${stderr.toString()}`;
  };
  const others = rules.map((rule) => (/^ +- alert/.test(rule) ? changed(rule) : []));
  expect(others.filter((all) => all.length > 0).length).toBeGreaterThan(10);
  // No alert follows from another: one figure of each is changed at a time.
  for (let round = 0; others.some((all) => all.length > round); round += 1) {
    const output = outputOf(rules.map((rule, at) => others[at]?.[round] ?? rule).join(''));
    for (const all of others) {
      const [, name = ''] = /- alert: (\w+)/.exec(all[round] ?? '') ?? [];
      if (name !== '') expect(output, all[round]).toContain(`alertname: ${name}, time:`);
    }
  }
  for (const [at, rule] of rules.entries()) {
    if (!/^ +- record/.test(rule)) continue;
    for (const other of changed(rule)) expect(outputOf(rules.with(at, other).join('')), other).not.toBe('');
  }
});

interface Notice {
  readonly alerts: readonly { readonly status: string; readonly labels: Readonly<Record<string, string>> }[];
}

/** A webhook, and the alerts that it has received. */
async function openWebhook(): Promise<{ url: string; alerts: Notice['alerts'][number][] }> {
  const alerts: Notice['alerts'][number][] = [];
  const server = http.createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => {
      alerts.push(...(JSON.parse(body) as Notice).alerts);
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/alerts`, alerts };
}

/** The files of deploy/ at other addresses, and in seconds where they have minutes. */
function configure(folder: string, places: Readonly<Record<string, string>>): void {
  for (const name of ['prometheus.yml', 'rules.yml', 'alertmanager.yml']) {
    let text = fs.readFileSync(path.join(DEPLOY, name), 'utf8');
    for (const [from, to] of Object.entries(places)) text = text.replaceAll(from, to);
    text = text
      .replaceAll(/(scrape_interval|evaluation_interval|group_wait): \d+s/g, '$1: 1s')
      .replaceAll(/for: \d+m/g, 'for: 1s');
    fs.writeFileSync(path.join(folder, name), text);
  }
}

function start(command: string, ...args: string[]): Running {
  return observe(spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] }), command);
}

async function startBoth(places: Readonly<Record<string, string>>): Promise<{ prometheus: string }> {
  const folder = makeFolder();
  const [port, alertPort] = [await closedPort(), await closedPort()];
  configure(folder, { ...places, '127.0.0.1:9093': `127.0.0.1:${alertPort}` });
  start(
    'prometheus-alertmanager',
    `--config.file=${folder}/alertmanager.yml`,
    `--storage.path=${folder}/alertmanager`,
    `--web.listen-address=127.0.0.1:${alertPort}`,
    '--cluster.listen-address=',
  );
  start(
    'prometheus',
    `--config.file=${folder}/prometheus.yml`,
    `--storage.tsdb.path=${folder}/prometheus`,
    `--web.listen-address=127.0.0.1:${port}`,
  );
  return { prometheus: `http://127.0.0.1:${port}` };
}

interface Found {
  readonly status: string;
  readonly error?: string;
  readonly data?: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

test.skipIf(withoutPrometheus)(
  'a real Prometheus scrapes a shop and answers every query of the dashboard; a processor that is stopped raises an alert that reaches the webhook',
  async () => {
    const { shop, start: run } = await openCheckoutShop();
    fill(shop, { alice: 'paid' }, { pen: 1_000 });
    const { url } = await serve(shop);
    const running = run('orders', 'stock', '--metrics-port', '0');
    const [, metrics = ''] = await running.says(/metrics on (\S+)/);
    const webhook = await openWebhook();
    const { prometheus } = await startBoth({
      '127.0.0.1:8080': new URL(url).host,
      '127.0.0.1:9464': new URL(metrics).host,
      'http://127.0.0.1:9099/alerts': webhook.url,
    });
    const ask = async (query: string): Promise<Found> => {
      const found = await fetch(`${prometheus}/api/v1/query?${new URLSearchParams({ query }).toString()}`);
      return (await found.json()) as Found;
    };
    const up = (): Promise<Found> => ask('up == 1');
    await waitFor('both targets', up, ({ data }) => data?.result.length === 2);

    await shop.ok(['produce', '--user', 'alice', '--item', 'pen=1', '--count', '50']);
    const accepted = (): Promise<Found> => ask('sum(orderctl_records_total{outcome="accepted"})');
    await waitFor('orders', accepted, ({ data }) => data?.result[0]?.value[1] === '50');
    const queries = queriesOf(dashboard());
    expect(queries.length).toBeGreaterThan(10);
    for (const query of queries) {
      const { error } = await ask(query);
      expect(error, query).toBeUndefined();
      await waitFor(
        query,
        () => ask(query),
        ({ data }) => (data?.result.length ?? 0) > 0,
      );
    }

    expect(webhook.alerts.filter(({ labels }) => labels.alertname === 'OrderctlProcessorStopped')).toEqual(
      [],
    );
    running.signal('SIGINT');
    await finish(running, 'run', 60_000);
    const names = (): string[] =>
      webhook.alerts.map(({ status, labels: { alertname = '', processor = '' } }) =>
        [status, alertname, processor].join(' ').trim(),
      );
    await waitFor('the alerts', names, (all) =>
      ['OrderctlProcessorStopped orders', 'OrderctlProcessorStopped stock', 'OrderctlTargetDown'].every(
        (name) => all.includes(`firing ${name}`),
      ),
    );
  },
);

/** Every query that a dashboard asks. */
function queriesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(queriesOf);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) =>
    key === 'expr' ? [String(inner)] : queriesOf(inner),
  );
}
