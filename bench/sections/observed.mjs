// @ts-check
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { freePort } from '../../deploy/kafka/services.mjs';
import { say } from '../lib/cluster.mjs';
import { median } from '../lib/measure.mjs';
import { createTopic, fillTopic } from '../lib/orders.mjs';
import { consuming, orderctl } from '../lib/programs.mjs';
import { orDash, printTable, whole } from '../lib/table.mjs';

const SHOP = { users: 1_000, items: 1_000 };
const TOPIC = 'bench-observed';
const SCRAPE_EVERY_MS = 1_000;
/** By then all modules are loaded. */
const BEGUN_US = 1_000_000;
/** Modules that are loaded for metrics alone, by their names in the build. */
const OF_METRICS = /\/prom-client\/|\/@opentelemetry\/|\/(?:meter|metrics-server)\.js$/;

/** @typedef {import('../lib/programs.mjs').Program} Program */

/**
 * The cost of metrics and traces. Traces: pairs of runs with and without them, alternating, compared by CPU seconds.
 * Metrics cost less than the difference between two equal runs, so they are measured by the samples of V8's profiler
 * that have a metrics function on the stack. Scraping the metrics and receiving the spans happen in this process and do
 * not count.
 *
 * @param {import('./consume.mjs').Bench} bench
 */
export async function benchObserved({ cluster, orders, runs }) {
  await createTopic(cluster, TOPIC);
  await fillTopic(cluster, TOPIC, { to: orders, ...SHOP });
  let number = 0;
  const run = async (/** @type {Program} */ program) => {
    const job = { cluster, topic: TOPIC, count: orders, ...SHOP, id: `${TOPIC}-${(number += 1)}` };
    const result = await program.run(job);
    if (result.count !== orders) throw new Error(`${program.name} handled ${result.count} of ${orders}`);
    rmSync(result.folder, { recursive: true, force: true });
    return result.cpuSeconds ?? NaN;
  };
  await benchMetrics(run, { orders, runs });
  await benchTraces(run, { orders, runs });
}

/** @typedef {{orders: number, runs: number}} Size */

/** @param {(program: Program) => Promise<number>} run @param {Size} size */
async function benchMetrics(run, { orders, runs }) {
  /** @type {number[]} */
  const shares = [];
  for (let round = 1; round <= runs; round += 1) {
    const port = await freePort();
    const folder = mkdtempSync(path.join(tmpdir(), 'orderctl-profile-'));
    const node = ['--cpu-prof', `--cpu-prof-dir=${folder}`];
    const name = 'orderctl consume --no-events --metrics-port';
    const program = consuming(name, ['--no-events', '--metrics-port', `${port}`], { node });
    let scrapes = 0;
    const scrape = async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/metrics`).catch(() => null);
      if (answer?.ok === true && (await answer.text()).includes('orderctl_records_total')) scrapes += 1;
    };
    const scraping = setInterval(() => void scrape(), SCRAPE_EVERY_MS);
    await run(program).finally(() => clearInterval(scraping));
    if (scrapes === 0) throw new Error('the metrics were never scraped');
    const [file = ''] = readdirSync(folder);
    const { loadingMs, metricsMs, busyMs } = samplesOf(readFileSync(path.join(folder, file), 'utf8'));
    rmSync(folder, { recursive: true, force: true });
    const times = `${whole(loadingMs)} ms at the start, then ${whole(metricsMs)} of ${whole(busyMs)} ms`;
    say(`metrics, run ${round}: ${times}, ${scrapes} scrapes`);
    shares.push(metricsMs / busyMs);
  }
  printTable(
    `${whole(orders)} orders, --no-events, ${runs} runs, metrics scraped every ${SCRAPE_EVERY_MS / 1_000} s`,
    ['of what the main thread does, from the second second on', 'median', 'most'],
    [['metrics', `${orDash(median(shares) * 100, 2)} %`, `${orDash(Math.max(...shares) * 100, 2)} %`]],
  );
}

/**
 * From a CPU profile of V8: the time in metrics functions, for loading and afterwards, and the total time afterwards.
 *
 * @param {string} text
 */
function samplesOf(text) {
  /** @type {{nodes: {id: number, callFrame: {functionName: string, url: string}, children?: number[]}[], samples: number[], timeDeltas: number[]}} */
  const { nodes, samples, timeDeltas } = JSON.parse(text);
  const byId = new Map(nodes.map((node) => [node.id, node]));
  /** @type {Map<number, 'idle' | 'metrics' | 'other'>} */
  const kinds = new Map();
  const mark = (/** @type {number} */ id, /** @type {boolean} */ isBelow) => {
    const { callFrame, children = [] } = byId.get(id) ?? { callFrame: { functionName: '', url: '' } };
    const isOf = isBelow || OF_METRICS.test(callFrame.url);
    kinds.set(id, callFrame.functionName === '(idle)' ? 'idle' : isOf ? 'metrics' : 'other');
    for (const child of children) mark(child, isOf);
  };
  mark(nodes[0]?.id ?? 0, false);
  const sumsUs = { loading: 0, metrics: 0, busy: 0 };
  let atUs = 0;
  for (const [index, id] of samples.entries()) {
    const us = timeDeltas[index] ?? 0;
    const kind = kinds.get(id);
    atUs += us;
    if (kind === 'metrics') sumsUs[atUs < BEGUN_US ? 'loading' : 'metrics'] += us;
    if (kind !== 'idle' && atUs >= BEGUN_US) sumsUs.busy += us;
  }
  const { loading, metrics, busy } = sumsUs;
  return { loadingMs: loading / 1_000, metricsMs: metrics / 1_000, busyMs: busy / 1_000 };
}

/** @param {(program: Program) => Promise<number>} run @param {Size} size */
async function benchTraces(run, { orders, runs }) {
  const collector = await startCollector();
  const traced = (/** @type {string} */ name, /** @type {NodeJS.ProcessEnv} */ env) =>
    consuming(name, ['--no-events'], { env: { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...env } });
  const rarely = { OTEL_TRACES_SAMPLER: 'parentbased_traceidratio', OTEL_TRACES_SAMPLER_ARG: '0.01' };
  const ways = [traced('a hundredth recorded', rarely), traced('every trace recorded', {})];
  /** @type {{name: string, plain: number, cpu: number}[]} */
  const pairs = [];
  for (let round = 1; round <= runs; round += 1) {
    for (const program of ways) {
      // Alternate which of the two runs first, so that a warm or full machine affects both alike.
      /** @type {Map<unknown, number>} */
      const cpus = new Map();
      for (const one of round % 2 === 1 ? [orderctl, program] : [program, orderctl])
        cpus.set(one, await run(one));
      const [plain = NaN, cpu = NaN] = [cpus.get(orderctl), cpus.get(program)];
      const spans = collector.countSpans();
      if (spans === 0) throw new Error(`${program.name}: no spans`);
      say(`${program.name}, pair ${round}: ${plain} and ${cpu} CPU s, ${whole(spans)} spans`);
      pairs.push({ name: program.name, plain, cpu });
    }
  }
  collector.stop();
  printTable(
    `${whole(orders)} orders, --no-events, medians of ${runs} pairs`,
    ['traces', 'CPU s', 'without', 'more', 'µs an order'],
    ways.map(({ name }) => {
      const those = pairs.filter((pair) => pair.name === name);
      const more = median(those.map(({ plain, cpu }) => cpu / plain - 1));
      const perOrder = median(those.map(({ plain, cpu }) => (cpu - plain) / orders)) * 1e6;
      return [
        name,
        orDash(median(those.map(({ cpu }) => cpu)), 2),
        orDash(median(those.map(({ plain }) => plain)), 2),
        `${orDash(more * 100, 1)} %`,
        orDash(perOrder, 2),
      ];
    }),
  );
}

/** Receives spans by OTLP/HTTP, counts them and discards them. */
async function startCollector() {
  let count = 0;
  const server = createServer((request, response) => {
    /** @type {Buffer[]} */
    const chunks = [];
    request.on('data', (chunk) => chunks.push(chunk));
    request.on('end', () => {
      count += Buffer.concat(chunks).toString('latin1').split('"spanId":').length - 1;
      response.setHeader('content-type', 'application/json').end('{}');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  const countSpans = () => {
    const taken = count;
    count = 0;
    return taken;
  };
  return { url: `http://127.0.0.1:${port}`, countSpans, stop: () => server.close() };
}
