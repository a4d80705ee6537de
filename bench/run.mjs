#!/usr/bin/env node
// @ts-check
import { parseArgs } from 'node:util';
import { startCluster } from './lib/cluster.mjs';
import { printMachine } from './lib/table.mjs';
import { benchCheckout, benchCheckoutLatency, benchCheckoutLong } from './sections/checkout.mjs';
import { benchCommands } from './sections/commands.mjs';
import { benchConsume } from './sections/consume.mjs';
import { benchEvents } from './sections/events.mjs';
import { benchFacts } from './sections/facts.mjs';
import { benchGrowth } from './sections/growth.mjs';
import { benchHttp, benchPlacing, benchReading } from './sections/http.mjs';
import { benchLatency } from './sections/latency.mjs';
import { benchMixes } from './sections/mixes.mjs';
import { benchObserved } from './sections/observed.mjs';
import { benchPostgres } from './sections/postgres.mjs';
import { benchProduce } from './sections/produce.mjs';
import { benchReport } from './sections/report.mjs';
import { benchTimes } from './sections/times.mjs';
import { benchUp } from './sections/up.mjs';

const SECTIONS = {
  consume: benchConsume,
  mixes: benchMixes,
  observed: benchObserved,
  events: benchEvents,
  checkout: benchCheckout,
  'checkout-latency': benchCheckoutLatency,
  'checkout-long': benchCheckoutLong,
  http: benchHttp,
  'http-placing': benchPlacing,
  'http-reading': benchReading,
  facts: benchFacts,
  latency: benchLatency,
  produce: benchProduce,
  commands: benchCommands,
  times: benchTimes,
  up: benchUp,
  growth: benchGrowth,
  postgres: benchPostgres,
  report: benchReport,
};

/** Run only when named. */
const ASKED_FOR = new Set([
  'observed',
  'http-placing',
  'http-reading',
  'growth',
  'postgres',
  'checkout-long',
  'report',
]);

const USAGE = `Compares orderctl with its alternatives, on a Kafka that it starts itself.

Usage
  npm run bench [-- SECTION…] [--orders 300000] [--runs 3]
  npm run bench:embedded [-- SECTION…]

Sections: ${Object.keys(SECTIONS).join(', ')}. By default, all run but growth and checkout-long, which take half an hour, observed, postgres, report and the parts of
http. docs/performance.md has the results of a run. Nothing else should run on the machine meanwhile.`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    orders: { type: 'string', default: '300000' },
    runs: { type: 'string', default: '3' },
    embedded: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

/** @param {string} name @param {string} text */
function wholeNumber(name, text) {
  const number = Number(text);
  if (Number.isInteger(number) && number >= 1) return number;
  throw new TypeError(`--${name} ${text}: a whole number from 1 up\n\n${USAGE}`);
}

async function main() {
  if (values.help) {
    process.stdout.write(`${USAGE}\n`);
    return;
  }
  const names =
    positionals.length > 0 ? positionals : Object.keys(SECTIONS).filter((name) => !ASKED_FOR.has(name));
  const sections = names.map((name) => {
    const section = Object.entries(SECTIONS).find(([known]) => known === name)?.[1];
    if (section === undefined) throw new TypeError(`section ${name} does not exist\n\n${USAGE}`);
    return section;
  });
  const orders = wholeNumber('orders', values.orders);
  const runs = wholeNumber('runs', values.runs);
  const cluster = await startCluster({ embedded: values.embedded });
  try {
    printMachine(cluster.name);
    for (const section of sections) await section({ cluster, orders, runs });
  } finally {
    await cluster.stop();
  }
}

try {
  await main();
} catch (error) {
  if (!(error instanceof TypeError)) throw error;
  process.stderr.write(`error: ${error.message}\n`);
  process.exitCode = 2;
}
