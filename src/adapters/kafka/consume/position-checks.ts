import type { RecordId } from '../../../domain/orders/order.ts';
import type { Position } from '../../../ports/store.ts';
import type { PartitionMap } from '../partition-map.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { answerOf, isConnectionError, isPassing } from '../protocol/errors.ts';
import type { Fetcher } from './fetcher.ts';
import type { Leaders } from './leaders.ts';
import { comparePositions, throwFirst } from './positions.ts';
import type { Check } from './slots.ts';

export interface PositionChecksOptions {
  readonly client: KafkaClient;
  readonly signal: AbortSignal;
  readonly leaders: Leaders;
  readonly fetcher: Fetcher;
  /** The positions in force now. */
  readonly positions: () => PartitionMap<Position>;
  /** See RunOptions.onStart. */
  readonly onStart: (starts: readonly RecordId[]) => Promise<void>;
  /** Called after positions were compared. */
  readonly onChecked: () => void;
  readonly onFailed: (error: unknown) => void;
}

/** The checks for one topic and one node. */
interface Part {
  readonly topic: string;
  readonly checks: Check[];
}

/**
 * Compares positions that are in doubt with their topics, all nodes in parallel: a node that does not answer delays
 * only the partitions that it leads.
 */
export class PositionChecks {
  readonly #options: PositionChecksOptions;

  constructor(options: PositionChecksOptions) {
    this.#options = options;
  }

  begin(): void {
    const { fetcher, positions, onFailed } = this.#options;
    const parts = new Map<string, Part>();
    for (const check of fetcher.slots.takeDoubtful()) {
      const { topic } = check.slot.of;
      const name = `${check.leader.nodeId} ${topic}`;
      const part = parts.get(name) ?? { topic, checks: [] };
      part.checks.push(check);
      parts.set(name, part);
    }
    const all = positions();
    for (const part of parts.values()) {
      const own = all.values().filter(({ topic }) => topic === part.topic);
      void this.#check(part, new Map(own.map((position) => [position.partition, position]))).catch(onFailed);
    }
  }

  async #check({ topic, checks }: Part, positions: ReadonlyMap<number, Position>): Promise<void> {
    const { client, signal, leaders, fetcher, onStart, onChecked } = this.#options;
    const led = new Map(checks.map(({ slot, leader }) => [slot.of.partition, leader]));
    try {
      const { ranges, refused } = await comparePositions({ client, topic, led, positions });
      if (signal.aborted) return;
      throwFirst(refused);
      const starts = new Map(ranges.map(({ partition, start }) => [partition, start]));
      const begun = ranges.filter(({ partition }) => !positions.has(partition));
      if (begun.length > 0)
        await onStart(begun.map(({ partition, start: offset }) => ({ topic, partition, offset })));
      if (this.#options.signal.aborted) return;
      const inForce = this.#options.positions();
      for (const check of checks) {
        const start = starts.get(check.slot.of.partition);
        if (start === undefined) fetcher.slots.putBack(check);
        else fetcher.assign(check, inForce.get(check.slot.of)?.next ?? start);
      }
      onChecked();
    } catch (error) {
      if (signal.aborted) return;
      // A node that has just started knows no topics for a moment; the leaders show whether the topic was deleted.
      if (!isPassing(error) && answerOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
      for (const check of checks) fetcher.slots.putBack(check);
      if (isConnectionError(error)) for (const { nodeId } of led.values()) leaders.suspect(nodeId);
      leaders.hurry();
    }
  }
}
