import { openBroker, type BrokerOptions } from './broker.ts';
import { Faults } from './faults.ts';
import { lockFolder } from './folder-lock.ts';
import { APIS } from './requests/index.ts';
import { ProtocolServer } from './server.ts';

export interface DevBrokerOptions extends Omit<BrokerOptions, 'warn'> {
  /** Created when missing. One broker at a time. */
  readonly dataDir: string;
  /** Default 127.0.0.1: this machine only. */
  readonly host?: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Interval at which retention is applied; default 5 minutes, as in Kafka. */
  readonly retentionCheckMs?: number;
  /** Time-out for a client that connects and sends nothing; default 10 s. */
  readonly firstRequestTimeoutMs?: number;
  /** Time-out for a client that sends no more requests; default 10 minutes, as in Kafka. */
  readonly idleTimeoutMs?: number;
  readonly warn?: (message: string) => void;
}

/** A Kafka-protocol broker for one node, in this process. */
export interface DevBroker {
  readonly host: string;
  readonly port: number;
  /** `host:port`, for a client's list of brokers. */
  readonly address: string;
  readonly clusterId: string;
  /** Fault injection, for tests. */
  readonly faults: Faults;
  /** Applies the retention of topics and offsets now. */
  applyRetention(): void;
  /** Ends all connections; clients reconnect. */
  disconnectClients(): void;
  /** Ends all connections and syncs everything to disk. Calling it again has no effect. */
  stop(): Promise<void>;
}

/**
 * Opens the folder and listens.
 *
 * @throws FolderInUseError · CannotListenError · CorruptLogError · CorruptStateError
 */
export async function startDevBroker(options: DevBrokerOptions): Promise<DevBroker> {
  const { dataDir, host = '127.0.0.1', port, retentionCheckMs = 300_000 } = options;
  const warn = options.warn ?? (() => undefined);
  const lock = await lockFolder(dataDir);
  try {
    const broker = openBroker({ ...options, warn });
    const faults = new Faults(new Set([...APIS.values()].map(({ name }) => name)));
    const server = await ProtocolServer.listen({
      host,
      port,
      broker,
      faults,
      firstRequestTimeoutMs: options.firstRequestTimeoutMs ?? 10_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 600_000,
      warn,
    }).catch((error: unknown) => {
      broker.close();
      throw error;
    });
    const applyRetention = () => {
      for (const { partitions } of broker.topics.all()) {
        for (const partition of partitions) partition.applyRetention(Date.now());
      }
      broker.groups.applyRetention();
    };
    const cleaner = setInterval(() => {
      try {
        applyRetention();
      } catch (error) {
        warn(`retention failed: ${String(error)}`);
      }
    }, retentionCheckMs);
    cleaner.unref();
    const stop = async () => {
      clearInterval(cleaner);
      await server.stop();
      broker.close();
      await lock.release();
    };
    let stopping: Promise<void> | undefined;
    return {
      host,
      port: server.port,
      address: host.includes(':') ? `[${host}]:${server.port}` : `${host}:${server.port}`,
      clusterId: broker.clusterId,
      faults,
      applyRetention,
      disconnectClients: () => server.disconnect(),
      stop: () => (stopping ??= stop()),
    };
  } catch (error) {
    await lock.release();
    throw error;
  }
}
