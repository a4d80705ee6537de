import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import type { Services as Addresses } from '../../documents/development.ts';
import { startDevBroker } from '../../dev-broker/dev-broker.ts';
import { FolderInUseError, lockFolder } from '../../dev-broker/folder-lock.ts';
import { CorruptStateError } from '../../dev-broker/line-log.ts';
import { CorruptLogError } from '../../dev-broker/log/recovery.ts';
import { startDevRegistry } from '../../dev-broker/registry/server.ts';
import type { DevGateway } from '../../dev-gateway/dev-gateway.ts';
import { Failure } from '../../domain/failure.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { isLoopback } from '../input/access.ts';
import { listenFailure, systemErrorIn } from '../input/listen.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { SETTINGS } from '../settings/table.ts';

const DATA_FOLDER = '.orderctl-dev';
const BROKER_PORT = 9092;
const REGISTRY_PORT = 8081;
const LOOPBACK = '127.0.0.1';

interface Flags {
  port: string;
  registryPort: string;
  data: string;
  host: string;
  gatewayPort?: string;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Runs a Kafka broker and a schema registry in the foreground until Ctrl-C, for machines that have neither. ' +
      'Any Kafka client can use them: kcat, the tools of Kafka, Java, Python. What was acknowledged is kept in ' +
      'the data folder and is there again after a restart, even after kill -9.\n\n' +
      'They listen where orderctl looks by default, so that no other command needs a setting. --port 0 and ' +
      '--registry-port 0 take free ones. Only this machine can connect unless --host says otherwise; no password ' +
      'is asked.\n\n' +
      '--gateway-port adds a payment gateway that moves no money and keeps books. It declines customers named decline-…, ' +
      'and misbehaves on the first request for a customer named delay-…, error-…, hang-…, lose-… (charged, no answer) or ' +
      'forget-…. PUT /mood {"mood": "hang", "times": 3} does the same to the next requests for anybody; GET /books shows ' +
      'what was charged, and what was charged twice, which must never happen.\n\n' +
      'It is for development and tests: one node, one copy of the data. It is never the way to scale; that is a ' +
      'Kafka cluster, which orderctl reaches by --brokers. A data folder or a port that is in use is a conflict ' +
      '(4).',
    examples: [
      ['orderctl dev', 'run both until Ctrl-C'],
      ['orderctl dev --port 19092 --registry-port 18081', 'beside another Kafka'],
    ],
  })
    .option('--port <N>', 'of the broker; 0 takes a free one', String(BROKER_PORT))
    .option('--registry-port <N>', 'of the registry; 0 takes a free one', String(REGISTRY_PORT))
    .option('--gateway-port <N>', 'a payment gateway too, on this port; 0 takes a free one')
    .option('--data <DIR>', 'where both keep their data', DATA_FOLDER)
    .option('--host <HOST>', 'the address to listen on', LOOPBACK)
    .action(async (flags: Flags) => {
      await dev(session, flags);
    });
}

async function dev(session: Session, flags: Flags): Promise<void> {
  const { printer, cwd } = session;
  const options = {
    host: flags.host,
    port: wholeNumber('--port', flags.port, { max: 65_535 }),
    registryPort: wholeNumber('--registry-port', flags.registryPort, { max: 65_535 }),
    gatewayPort:
      flags.gatewayPort === undefined
        ? null
        : wholeNumber('--gateway-port', flags.gatewayPort, { max: 65_535 }),
    dataDir: resolve(cwd, flags.data),
    warn: (message: string) => printer.warn(message),
  };
  const signal = takeStopSignal(printer);
  const services = await startServices(options);
  try {
    const { broker, registry, gateway } = services;
    if (!isLoopback(flags.host)) {
      printer.warn(`everyone who reaches ${flags.host} can read and write: no password is asked`);
    }
    const document: Addresses = { broker, registry, gateway, data: options.dataDir, pid: process.pid };
    await (session.isJson
      ? printer.data(`${JSON.stringify(document)}\n`)
      : printer.text(howToConnect(services, relative(cwd, options.dataDir) || '.')));
    if (!signal.aborted) await once(signal, 'abort');
  } finally {
    await services.stop();
  }
  printer.info('stopped');
}

function howToConnect({ broker, registry, gateway }: Services, data: string): string {
  const defaults = new Map<string, unknown>(SETTINGS.map(({ name, fallback }) => [name, fallback]));
  const settings = [
    ...(broker === defaults.get('brokers') ? [] : [`export ORDERCTL_BROKERS=${broker}`]),
    ...(registry === defaults.get('registry') ? [] : [`export ORDERCTL_REGISTRY=${registry}`]),
    ...(gateway === null ? [] : [`export ORDERCTL_GATEWAY=${gateway}`]),
  ];
  const commands = [
    ...settings,
    'orderctl user add --user alice --status paid',
    'orderctl inventory add --item book --quantity 10',
    'orderctl produce --count 5',
    'orderctl consume',
  ];
  return [
    `broker    ${broker}`,
    `registry  ${registry}`,
    ...(gateway === null ? [] : [`gateway   ${gateway}`]),
    `data      ${data} (kept for the next start)`,
    '',
    `Try it from another terminal${settings.length === 0 ? ', without any setting' : ''}:`,
    ...commands.map((command) => `  ${command}`),
    '',
    'For development only: one node, one copy of the data. To scale, use a Kafka cluster (--brokers).',
    'Ctrl-C stops all of it.',
    '',
  ].join('\n');
}

export interface ServiceOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** 0 takes a free one. */
  readonly registryPort: number;
  /** null: none; 0 takes a free one. */
  readonly gatewayPort: number | null;
  readonly dataDir: string;
  readonly warn: (message: string) => void;
}

export interface Services {
  /** `host:port`, as --brokers takes it. */
  readonly broker: string;
  /** As --registry takes it. */
  readonly registry: string;
  /** As --gateway takes it; null: none. */
  readonly gateway: string | null;
  readonly stop: () => Promise<void>;
}

/**
 * Broker, registry and, where it is wanted, payment gateway on one data folder, in this process.
 *
 * @throws Failure folder_in_use, port_in_use, invalid_value, corrupt_state, write_failed
 */
export async function startServices(options: ServiceOptions): Promise<Services> {
  const { host, port, registryPort, gatewayPort, dataDir, warn } = options;
  const started: { stop(): Promise<void> }[] = [];
  const start = async <S extends { stop(): Promise<void> }>(
    starting: Promise<S>,
    flag: string,
    itsPort: number,
  ): Promise<S> => {
    try {
      const service = await starting;
      started.push(service);
      return service;
    } catch (error) {
      await Promise.all(started.map((one) => one.stop()));
      throw failureOf(error, options, flag, itsPort);
    }
  };
  // The broker's hold on its folder guards the others' beside it.
  const broker = await start(
    startDevBroker({ host, port, dataDir: brokerIn(dataDir), warn }),
    '--port',
    port,
  );
  const registry = await start(
    startDevRegistry({ host, port: registryPort, dataDir: join(dataDir, 'registry') }),
    '--registry-port',
    registryPort,
  );
  const gateway =
    gatewayPort === null
      ? null
      : await start(openGateway(host, gatewayPort, dataDir), '--gateway-port', gatewayPort);
  return {
    broker: reachable(broker.address),
    registry: reachable(registry.url),
    gateway: gateway === null ? null : reachable(gateway.url),
    stop: async () => {
      await Promise.all(started.map((one) => one.stop()));
    },
  };
}

async function openGateway(host: string, port: number, dataDir: string): Promise<DevGateway> {
  const { startDevGateway } = await import('../../dev-gateway/dev-gateway.ts');
  return startDevGateway({ host, port, file: join(dataDir, 'gateway', 'books.log') });
}

/** The address that means "every address" is not one to connect to. */
function reachable(address: string): string {
  return address.replace(/(^|\/\/)(0\.0\.0\.0|\[?::\]?)(?=:\d+)/, `$1${LOOPBACK}`);
}

function brokerIn(dataDir: string): string {
  return join(dataDir, 'broker');
}

/**
 * Keeps brokers away from a data folder until `release`.
 *
 * @throws Failure folder_in_use: one runs on it; write_failed
 */
export async function holdData(dataDir: string): Promise<{ release(): Promise<void> }> {
  const folder = brokerIn(dataDir);
  if (!existsSync(folder)) return { release: () => Promise.resolve() };
  try {
    return await lockFolder(folder);
  } catch (error) {
    throw failureOf(error, { host: LOOPBACK, dataDir }, '--port', BROKER_PORT);
  }
}

function failureOf(
  error: unknown,
  { host, dataDir }: Pick<ServiceOptions, 'host' | 'dataDir'>,
  flag: string,
  port: number,
): unknown {
  if (error instanceof FolderInUseError) {
    return new Failure('folder_in_use', `another orderctl dev runs on the data folder ${dataDir}`, {
      fix: 'use that one as it is, or stop it, or give this one a folder of its own with --data DIR',
      cause: error,
    });
  }
  if (error instanceof CorruptLogError || error instanceof CorruptStateError) {
    return new Failure('corrupt_state', error.message, {
      fix: 'or begin from scratch with --data DIR',
      cause: error,
    });
  }
  const system = systemErrorIn(error);
  if (system?.syscall === undefined) return error;
  // The lock of the folder is a socket too, one without a port.
  const isOfFolder = 'port' in system && system.port === -1;
  if (isOfFolder || !['listen', 'bind', 'getaddrinfo'].includes(system.syscall)) {
    const another = 'give another with --data DIR';
    const mended = FOLDER_FIXES[system.code ?? ''] ?? 'see that it can be written';
    return new Failure('write_failed', `the data folder ${dataDir} cannot be used: ${system.message}`, {
      // Where the system makes no folder, nothing is to be mended.
      fix: system.code === 'ENOENT' ? another : `${mended}, or ${another}`,
      cause: error,
    });
  }
  return listenFailure(error, { host, port, flag }) ?? error;
}

const FOLDER_FIXES: Readonly<Record<string, string>> = {
  EACCES: 'make it writable for you',
  EPERM: 'make it writable for you',
  EROFS: 'make it writable for you',
  ENOSPC: 'make room for it',
  EDQUOT: 'make room for it',
  ENOTDIR: 'remove the file of that name',
  EEXIST: 'remove the file of that name',
};
