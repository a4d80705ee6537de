import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Command } from 'commander';
import { openStore } from '../../compose.ts';
import type { Services, Serving, Up } from '../../documents/development.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { duration } from '../output/text.ts';
import { printNotice } from '../output/store-notices.ts';
import { decimalNumber, wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { SETTINGS } from '../settings/table.ts';
import { fillEmptyShop } from '../up/first-shop.ts';
import { Part, type PartEvent } from '../up/part.ts';

const PORT = 8080;
/** Something that listens answers at once on this machine. */
const CONNECT_MS = 500;

interface Flags {
  readonly port: string;
  readonly brokerPort?: string;
  readonly registryPort?: string;
  readonly sample?: string;
  readonly open?: true;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Runs the whole shop until Ctrl-C: broker and registry as "orderctl dev" does, unless --brokers is given or one ' +
      'answers already; all processors; the HTTP API. Each is a process of its own, and started again when it ends. ' +
      'An empty shop gets a few users and items. The next "up" goes on where this one stopped.',
    examples: [
      ['orderctl up --sample 5', 'with five sample orders a second'],
      ['orderctl up --port 0 -o json', 'on a free port, for scripts'],
    ],
  })
    .option('--port <N>', 'of the API; 0 takes a free one', String(PORT))
    .option('--broker-port <N>', 'of its own broker; 0 takes a free one')
    .option('--registry-port <N>', 'of its own registry; 0 takes a free one')
    .option('--sample <N>', 'send so many sample orders a second')
    .option('--open', 'open it in a browser')
    .action(async (flags: Flags) => {
      await up(session, flags);
    });
}

async function up(session: Session, flags: Flags): Promise<void> {
  const { printer, settings, isJson } = session;
  const port = portOf('--port', flags.port);
  const sample = flags.sample === undefined ? null : decimalNumber('--sample', flags.sample);
  const signal = takeStopSignal(printer);
  const stack = new Stack(session);
  try {
    const { brokers, registry } = await stack.startKafka(flags);
    const access = await openStore(settings.storage);
    if (await fillEmptyShop(access, (notice) => printNotice(printer, notice))) {
      printer.info('the shop was empty: it has a few users and items now');
    }
    let chosen = port;
    const api = stack.part('serve', () => ['serve', '--port', String(chosen)], true);
    const [serving] = await Promise.all([
      api.start() as Promise<Serving>,
      stack.part('run', () => ['run'], false).start(),
    ]);
    // Where it was, when it is started again.
    chosen = Number(new URL(serving.url).port);
    if (sample !== null) {
      await stack
        .part('produce', () => ['produce', '--count', '0', '--rate', String(sample), '-q'], false)
        .start();
    }
    const document: Up = { url: serving.url, brokers, registry, storage: settings.storage, pid: process.pid };
    await printer.data(isJson ? `${JSON.stringify(document)}\n` : inWords(document));
    if (flags.open === true) openBrowser(serving.url);
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await stack.stop();
  }
  printer.info('stopped');
}

/** The processes of a shop. */
class Stack {
  readonly #session: Session;
  readonly #parts: Part[] = [];
  /** Settings for the parts: those that came as flags would be lost otherwise. */
  readonly #env: Record<string, string | undefined>;

  constructor(session: Session) {
    this.#session = session;
    const { byName } = session.resolved;
    const given = SETTINGS.flatMap(({ name, env }) => {
      const found = byName.get(name);
      return found?.source === 'flag' && name !== 'output' && name !== 'quiet'
        ? [[env, String(found.value)] as const]
        : [];
    });
    this.#env = { ...session.env, ...Object.fromEntries(given) };
  }

  part(name: string, args: () => readonly string[], announces: boolean): Part {
    const { printer, cwd } = this.#session;
    const part = new Part({
      ...{ name, args, announces, cwd, env: this.#env },
      on: (event) => printEvent(printer, event),
    });
    this.#parts.push(part);
    return part;
  }

  /** Broker and registry: those that are given or answer already, else its own. */
  async startKafka(flags: Flags): Promise<{ brokers: string; registry: string }> {
    const { printer, settings, resolved } = this.#session;
    const { brokers, registry } = settings;
    const [first = ''] = brokers.split(',');
    const isOwn = flags.brokerPort !== undefined || flags.registryPort !== undefined;
    if (!isOwn) {
      if (resolved.byName.get('brokers')?.source !== 'default') return { brokers, registry };
      if (await answers(first)) {
        printer.info(`uses the broker that answers on ${first}`);
        return { brokers, registry };
      }
    }
    let ports = [
      portOf('--broker-port', flags.brokerPort ?? new URL(`tcp://${first}`).port),
      portOf('--registry-port', flags.registryPort ?? new URL(registry).port),
    ];
    const dev = this.part(
      'dev',
      () => ['dev', '--port', String(ports[0]), '--registry-port', String(ports[1])],
      true,
    );
    const services = (await dev.start()) as Services;
    // Where it was, when it is started again.
    ports = [new URL(`tcp://${services.broker}`), new URL(services.registry)].map(({ port }) => Number(port));
    this.#env.ORDERCTL_BROKERS = services.broker;
    this.#env.ORDERCTL_REGISTRY = services.registry;
    return { brokers: services.broker, registry: services.registry };
  }

  /** What needs the others goes first. */
  async stop(): Promise<void> {
    const dev = this.#parts.filter((_, at) => at === 0);
    await Promise.all(this.#parts.slice(1).map((part) => part.stop()));
    await Promise.all(dev.map((part) => part.stop()));
  }
}

function printEvent(printer: Session['printer'], event: PartEvent): void {
  switch (event.kind) {
    case 'says':
      if (event.level === 'error') printer.error(`${event.name}: ${event.message}`);
      // Warnings of "run" are about orders that it rejects: the API and "order list" have those.
      else if (event.level === 'warn' && event.name !== 'run')
        printer.warn(`${event.name}: ${event.message}`);
      else printer.debug(`${event.name}: ${event.message}`);
      return;
    case 'ended':
      printer.warn(`${event.name} (${event.pid}) ${event.how}: it is started again`);
      return;
    case 'back':
      printer.info(`${event.name} is back as ${event.pid}, after ${duration(event.afterMs)}`);
  }
}

function portOf(flag: string, text: string): number {
  return wholeNumber(flag, text, { max: 65_535 });
}

/** Whether something listens there. */
function answers(address: string): Promise<boolean> {
  const at = address.lastIndexOf(':');
  const socket = connect({ host: address.slice(0, at), port: Number(address.slice(at + 1)) });
  socket.setTimeout(CONNECT_MS);
  return new Promise((resolve) => {
    const end = (found: boolean): void => {
      socket.destroy();
      resolve(found);
    };
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}

function inWords({ url, brokers, registry, storage }: Up): string {
  return [
    url,
    '',
    `broker    ${brokers}`,
    `registry  ${registry}`,
    `shop      ${storage}`,
    '',
    'Ctrl-C stops all of it; the next "orderctl up" goes on.',
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
  // The address is printed: where there is no browser, nothing is lost.
  child.on('error', () => undefined);
  child.unref();
}
