import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Command } from 'commander';
import { readingOfAll } from '../../../app/offsets/reading.ts';
import { openStore } from '../../../compose.ts';
import type { StoreAccess } from '../../../ports/access.ts';
import type { Serving, Up } from '../../../documents/development.ts';
import { takeStopSignal } from '../../exit.ts';
import { describe } from '../../help.ts';
import { printNotice } from '../../output/store-notices.ts';
import { decimalNumber, portOf } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { checkPlace, startDatabase } from '../../up/database.ts';
import { fillEmptyShop } from '../../up/first-shop.ts';
import { exportsFor } from '../../up/for-others.ts';
import { checkIdle } from '../../up/idle.ts';
import { checkGroups } from '../../up/other-shop.ts';
import type { Laboratory } from '../../up/laboratory.ts';
import type { Ask, News } from '../../up/messages.ts';
import type { Part } from '../../up/part.ts';
import { samplesFor, startSamples } from '../../up/samples.ts';
import { checkFree, portIn } from '../../up/ports.ts';
import { checkOwnBroker, Stack, type Kafka, type KafkaFlags } from '../../up/stack.ts';
import { isDatabase } from '../../settings/store-type.ts';

const PORT = 8080;
/** Data folder of its own broker and registry; also has the experiments if the store is a database. */
const DEV_DATA = '.orderctl-dev';

interface Flags extends KafkaFlags {
  readonly port: string;
  readonly split?: true;
  readonly postgresPort: string;
  readonly sample?: string;
  readonly metricsPort?: string;
  readonly open?: true;
  readonly fresh?: true;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Runs a whole shop until Ctrl-C: broker and registry as in "orderctl dev" (unless --brokers is given or a broker ' +
      'answers already; exit code 4 if another shop uses that one), all processors, and the HTTP API. Each is a process of its own, and is ' +
      'restarted when it ends. With --split each processor is a process too, on a PostgreSQL installed by npm, unless ' +
      '--store names a database. An empty shop gets a few users and items. The next "up" continues where this one ' +
      'stopped. Accepts all settings of the shop, such as --dispatch manual, with which orders can be cancelled until ' +
      '"order dispatch".',
    examples: [
      ['orderctl up --sample 5', 'with five sample orders per second'],
      ['orderctl up --split --store split', 'with a process for each processor, in the new folder split'],
    ],
  })
    .option('--port <N>', 'port of the API; 0: any free port', String(PORT))
    .option('--broker-port <N>', 'port of its own broker; 0: any free port')
    .option('--registry-port <N>', 'port of its own registry; 0: any free port')
    .option(
      '--metrics-port <N>',
      'port of /metrics of the processors; with --split the first of one port for each',
    )
    .option('--data <DIR>', 'data folder of its own broker and registry', DEV_DATA)
    .option('--split', 'run each processor in a process of its own, on PostgreSQL')
    .option('--postgres-port <N>', 'port of the PostgreSQL of --split; 0: any free port', '5432')
    .option('--sample <N>', 'send N sample orders per second')
    .option('--fresh', 'start with an empty shop; the old one is renamed')
    .option('--open', 'open the shop in a browser')
    .action(async (flags: Flags) => {
      await up(session, flags);
    });
}

async function up(session: Session, flags: Flags): Promise<void> {
  const { printer, settings, isJson } = session;
  const port = portOf('--port', flags.port);
  const sample = flags.sample === undefined ? null : decimalNumber('--sample', flags.sample);
  const metricsPort = flags.metricsPort === undefined ? null : portOf('--metrics-port', flags.metricsPort);
  const databasePort = portOf('--postgres-port', flags.postgresPort);
  const isSplit = flags.split === true;
  const signal = takeStopSignal(printer);
  await checkPlace(settings, isSplit);
  await checkFree(port, '--port 0 --broker-port 0 --registry-port 0 --data DIR --store DIR');
  if (!isDatabase(settings.storage)) await checkIdle(session);
  if (flags.fresh === true) await putShopAside(session, flags);
  let api: Part | null = null;
  const sendParts = (): void => api?.send({ type: 'parts', parts: stack.states } satisfies News);
  const stack: Stack = new Stack(session, sendParts);
  const watching = new AbortController();
  try {
    const kafka = await stack.startKafka(flags, watching.signal);
    const isOwnDatabase = isSplit && !isDatabase(settings.storage);
    const place = isOwnDatabase ? await startDatabase(stack, settings.storage, databasePort) : settings;
    const access = await openStore(place);
    if (kafka.own === null) await checkGroups(session, kafka, access);
    let chosen = port;
    let laboratory: Laboratory | null = null;
    const server = stack.part('serve', () => ['serve', '--port', String(chosen)], {
      announces: true,
      onReady: () => {
        sendParts();
        if (laboratory !== null) server.send({ type: 'open' } satisfies News);
      },
      onMessage: (message) => void laboratory?.answer(message as Ask).then((answer) => server.send(answer)),
    });
    api = server;
    const shop = processorsIn(stack, session, { isSplit, metricsPort });
    const [serving] = await Promise.all([
      // The API starts first, to show that the others are starting.
      server.start() as Promise<Serving>,
      fillEmptyShop(access, (notice) => printNotice(printer, notice)).then(async (wasEmpty) => {
        if (wasEmpty) printer.info('the shop was empty; added a few users and items');
        // The processors would give up if no broker answers yet, or on an empty shop.
        await kafka.own?.ready;
        if (kafka.own !== null) await checkGroups(session, kafka, access);
        await Promise.all(shop.map((part) => part.start()));
      }),
    ]);
    // A restarted API keeps its port.
    chosen = portIn(serving.url);
    laboratory = await openLaboratory(session, {
      access,
      kafka,
      url: serving.url,
      server,
      shop,
      data: flags.data,
    });
    if (sample !== null) await startSamples(stack, sample, await samplesFor(access));
    sendParts();
    const { brokers, registry } = kafka;
    const document: Up = { url: serving.url, brokers, registry, storage: place.storage, pid: process.pid };
    await printer.data(isJson ? `${JSON.stringify(document)}\n` : inWords(session, document, kafka));
    if (flags.open === true) openBrowser(serving.url);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    watching.abort();
    await stack.stop();
  }
  printer.info('stopped');
}

async function putShopAside(session: Session, flags: Flags): Promise<void> {
  const { putAside } = await import('../../up/fresh.ts');
  await checkOwnBroker(session, flags);
  await putAside(session, flags.data);
}

/** All processors in one process, or each in its own. @param metricsPort of the first; null: none, 0: any free port */
function processorsIn(
  stack: Stack,
  { settings }: Session,
  { isSplit, metricsPort }: { readonly isSplit: boolean; readonly metricsPort: number | null },
): readonly Part[] {
  const options = { announces: false } as const;
  const metrics = (at: number): readonly string[] =>
    metricsPort === null ? [] : ['--metrics-port', String(metricsPort === 0 ? 0 : metricsPort + at)];
  if (!isSplit) return [stack.part('run', () => ['run', ...metrics(0)], options)];
  const all = readingOfAll({ group: settings.group, names: settings.topics });
  return all.map(({ processor }, at) =>
    stack.part(processor, () => ['run', processor, ...metrics(at)], options),
  );
}

/** Opens the laboratory; null without a broker of its own, since experiments may only break what belongs to this "up". */
async function openLaboratory(
  { printer, settings }: Session,
  { access, kafka, url, server, shop, data }: Opened,
): Promise<Laboratory | null> {
  const { brokers, registry, own } = kafka;
  if (own === null) return null;
  const { topic, dlqTopic, users } = settings;
  const { gateway, part: broker } = own;
  const { Laboratory } = await import('../../up/laboratory.ts');
  const laboratory = await Laboratory.open({
    file: join(isDatabase(settings.storage) ? data : settings.storage, 'experiments.jsonl'),
    stage: {
      access,
      brokers,
      registry,
      gateway,
      url,
      topic,
      dlqTopic,
      users,
      parts: { shop, broker: [broker], api: [server] },
    },
    onNews: (experiment) => server.send({ type: 'experiment', experiment } satisfies News),
    onBug: (error) => printer.error(error instanceof Error ? (error.stack ?? error.message) : String(error)),
  });
  server.send({ type: 'open' } satisfies News);
  return laboratory;
}

interface Opened {
  readonly access: StoreAccess;
  readonly kafka: Kafka;
  /** URL of the API. */
  readonly url: string;
  readonly server: Part;
  readonly shop: readonly Part[];
  /** The data folder of the broker. */
  readonly data: string;
}

function inWords(session: Session, document: Up, { own }: Kafka): string {
  const { url, brokers, registry, storage } = document;
  const gateway = own?.gateway ?? null;
  const forOthers = exportsFor(session, document);
  return [
    url,
    '',
    `broker    ${brokers}`,
    `registry  ${registry}`,
    ...(gateway === null ? [] : [`gateway   ${gateway}, declines customers named decline-…`]),
    `shop      ${storage}`,
    '',
    ...(forOthers === null ? [] : ['For other commands:', forOthers, '']),
    'Ctrl-C stops everything; the next "orderctl up" continues.',
    '',
  ].join('\n');
}

function openBrowser(url: string): void {
  const [program, ...words] =
    process.platform === 'darwin'
      ? ['open']
      : process.platform === 'win32'
        ? ['cmd', '/c', 'start', '']
        : ['xdg-open'];
  const child = spawn(program, [...words, url], { stdio: 'ignore', detached: true });
  // Ignore a missing browser: the address is printed anyway.
  child.on('error', () => undefined);
  child.unref();
}
