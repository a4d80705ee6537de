import { isFailure } from '../../domain/failure.ts';
import type { Alert } from '../../domain/messages/shop/alert.ts';
import type { Broker, BrokerAdmin, RecordRange } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Codec } from '../../ports/codec.ts';

export type { Alert };

const CHECK_EVERY_MS = 1_000;
/** The most records to read at once; of more, only the latest are read. */
const READ_AT_ONCE = 2_000;

export interface AlertTailPorts {
  readonly broker: Broker;
  readonly codec: () => Promise<Pick<Codec<Alert>, 'decode'>>;
  readonly clock: Clock;
  readonly topic: string;
}

export interface AlertEvents {
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  /** Some alerts were not read. */
  readonly onGap: () => void;
}

/**
 * Reads the alerts that are added to their topic, until the signal aborts. Waits for brokers that do not answer. An
 * alert that was sent twice is reported twice.
 */
export async function followAlerts(
  ports: AlertTailPorts,
  signal: AbortSignal,
  on: AlertEvents,
): Promise<void> {
  const tail = new AlertTail(ports, signal, on);
  while (!signal.aborted) {
    try {
      await tail.run();
    } catch (error) {
      if (!isFailure(error) && error !== signal.reason) throw error;
    }
    await ports.clock.sleep(CHECK_EVERY_MS, signal);
  }
}

class AlertTail {
  readonly #ports: AlertTailPorts;
  readonly #signal: AbortSignal;
  readonly #on: AlertEvents;
  /** The next offset to read, by partition; null: not determined yet. Partitions that are not in it are new. */
  #next: Map<number, number> | null = null;

  constructor(ports: AlertTailPorts, signal: AbortSignal, on: AlertEvents) {
    this.#ports = ports;
    this.#signal = signal;
    this.#on = on;
  }

  /** Runs until a failure, or until the signal aborts. */
  async run(): Promise<void> {
    await using admin = await this.#ports.broker.admin();
    while (!this.#signal.aborted) {
      await this.#look(admin);
      await this.#ports.clock.sleep(CHECK_EVERY_MS, this.#signal);
    }
  }

  async #look(admin: BrokerAdmin): Promise<void> {
    const { topic } = this.#ports;
    if ((await admin.partitionCount(topic)) === undefined) {
      this.#next ??= new Map();
      return;
    }
    const ranges = await admin.ranges(topic);
    const known = (this.#next ??= new Map(ranges.map(({ partition, end }) => [partition, end])));
    let isGap = false;
    for (const { partition, start, end } of ranges) {
      const next = known.get(partition) ?? 0;
      // Beyond the end: the topic was recreated.
      const from = Math.max(next > end ? 0 : next, start, end - READ_AT_ONCE);
      isGap ||= from !== next;
      await this.#read(admin, { partition, from, to: end });
      known.set(partition, end);
    }
    if (isGap) this.#on.onGap();
  }

  async #read(admin: BrokerAdmin, range: RecordRange): Promise<void> {
    if (range.from >= range.to) return;
    const codec = await this.#ports.codec();
    for await (const { records } of admin.records(this.#ports.topic, [range], this.#signal)) {
      const decoded = await codec.decode(records);
      const alerts = decoded.flatMap((one) => (one.kind === 'message' ? [one.value] : []));
      if (alerts.length > 0) this.#on.onAlerts(alerts);
    }
  }
}
