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
import { portOf } from '../parse.ts';
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
      'Any Kafka client can use them: kcat, the tools of Kafka, Java, Python. Acknowledged records are kept in the ' +
      'data folder across restarts, even after kill -9.\n\n' +
      'Both listen on the default ports of orderctl, so that other commands need no settings. Only this machine can ' +
      'connect unless --host is given; no password is required.\n\n' +
      '--gateway-port adds a payment gateway that moves no money but keeps accounts. It declines customers named ' +
      'decline-…, and misbehaves on the first try of each charge and refund for a customer named delay-…, error-…, hang-…, lose-… (charges, ' +
      'but does not answer) or forget-…. PUT /mood {"mood": "hang", "times": 3} makes it misbehave on the next requests ' +
      'for any customer. GET /books shows all charges, and double charges, which must never happen.\n\n' +
      'It is for development and tests only: one node, one copy of the data. For anything else use a Kafka cluster with ' +
      '--brokers. Exit code 4 if a port or the data folder is in use.',
    examples: [
      ['orderctl dev', 'run both until Ctrl-C'],
      ['orderctl dev --port 19092 --registry-port 18081', 'next to another Kafka'],
    ],
  })
    .option('--port <N>', 'port of the broker; 0: any free port', String(BROKER_PORT))
    .option('--registry-port <N>', 'port of the registry; 0: any free port', String(REGISTRY_PORT))
    .option('--gateway-port <N>', 'run a payment gateway too, on this port; 0: any free port')
    .option('--data <DIR>', 'data folder of the services', DATA_FOLDER)
    .option('--host <HOST>', 'address to listen on', LOOPBACK)
    .action(async (flags: Flags) => {
      await dev(session, flags);
    });
}

async function dev(session: Session, flags: Flags): Promise<void> {
  const { printer, cwd } = session;
  const options = {
    host: flags.host,
    port: portOf('--port', flags.port),
    registryPort: portOf('--registry-port', flags.registryPort),
    gatewayPort: flags.gatewayPort === undefined ? null : portOf('--gateway-port', flags.gatewayPort),
    dataDir: resolve(cwd, flags.data),
    warn: (message: string) => printer.warn(message),
  };
  const signal = takeStopSignal(printer);
  const services = await startServices(options);
  try {
    const { broker, registry, gateway } = services;
    if (!isLoopback(flags.host)) {
      printer.warn(
        `any client that can connect to ${flags.host} can read and write: no password is required`,
      );
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
    `Try it from another terminal${settings.length === 0 ? ', without any settings' : ''}:`,
    ...commands.map((command) => `  ${command}`),
    '',
    'For development only: one node, one copy of the data. To scale, use a Kafka cluster (--brokers).',
    'Ctrl-C stops everything.',
    '',
  ].join('\n');
}

export interface ServiceOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  /** 0: any free port. */
  readonly registryPort: number;
  /** null: no gateway; 0: any free port. */
  readonly gatewayPort: number | null;
  readonly dataDir: string;
  readonly warn: (message: string) => void;
}

export interface Services {
  /** `host:port`, for --brokers. */
  readonly broker: string;
  /** URL for --registry. */
  readonly registry: string;
  /** URL for --gateway; null: no gateway runs. */
  readonly gateway: string | null;
  readonly stop: () => Promise<void>;
}

/**
 * Starts a broker, a registry and optionally a payment gateway on one data folder, in this process.
 *
 * @throws Failure folder_in_use, port_in_use, invalid_value, corrupt_state, write_failed
 */
export async function startServices(options: ServiceOptions): Promise<Services> {
  const { host, port, registryPort, gatewayPort, dataDir, warn } = options;
  const started: { stop(): Promise<void> }[] = [];
  const start = async <S extends { stop(): Promise<void> }>(
    starting: Promise<S>,
    flag: string,
    portGiven: number,
  ): Promise<S> => {
    try {
      const service = await starting;
      started.push(service);
      return service;
    } catch (error) {
      await Promise.all(started.map((one) => one.stop()));
      throw failureOf(error, options, flag, portGiven);
    }
  };
  // The broker starts first: its lock also protects the folders of the others.
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

/** Replaces the wildcard address, to which no client can connect, by loopback. */
function reachable(address: string): string {
  return address.replace(/(^|\/\/)(0\.0\.0\.0|\[?::\]?)(?=:\d+)/, `$1${LOOPBACK}`);
}

function brokerIn(dataDir: string): string {
  return join(dataDir, 'broker');
}

/**
 * Locks a data folder against brokers until `release`.
 *
 * @throws Failure folder_in_use: a broker runs on it; write_failed
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
      fix: 'use that one, stop it, or give this one a folder of its own with --data DIR',
      cause: error,
    });
  }
  if (error instanceof CorruptLogError || error instanceof CorruptStateError) {
    return new Failure('corrupt_state', error.message, {
      fix: 'start from scratch with another --data DIR',
      cause: error,
    });
  }
  const system = systemErrorIn(error);
  if (system?.syscall === undefined) return error;
  // The lock of the folder is a socket, too, but without a port.
  const isOfFolder = 'port' in system && system.port === -1;
  if (isOfFolder || !['listen', 'bind', 'getaddrinfo'].includes(system.syscall)) {
    const another = 'use another with --data DIR';
    const repair = FOLDER_FIXES[system.code ?? ''] ?? 'make sure that it can be written';
    return new Failure('write_failed', `the data folder ${dataDir} cannot be used: ${system.message}`, {
      // The system does not allow folders there, so only another one helps.
      fix: system.code === 'ENOENT' ? another : `${repair}, or ${another}`,
      cause: error,
    });
  }
  return listenFailure(error, { host, port, flag }) ?? error;
}

const FOLDER_FIXES: Readonly<Record<string, string>> = {
  EACCES: 'make it writable',
  EPERM: 'make it writable',
  EROFS: 'make it writable',
  ENOSPC: 'free some disk space',
  EDQUOT: 'free some disk space',
  ENOTDIR: 'remove the file of that name',
  EEXIST: 'remove the file of that name',
};
