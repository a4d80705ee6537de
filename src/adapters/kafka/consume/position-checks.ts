import type { Position } from '../../../ports/store.ts';
import type { KafkaClient } from '../protocol/client.ts';
import { answerOf, isConnectionError, isPassing } from '../protocol/errors.ts';
import type { Fetcher } from './fetcher.ts';
import type { Leader, Leaders } from './leaders.ts';
import { checkPositions } from './positions.ts';

export interface PositionChecksOptions {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly signal: AbortSignal;
  readonly leaders: Leaders;
  readonly fetcher: Fetcher;
  /** The positions in force now. */
  readonly positions: () => ReadonlyMap<number, Position>;
  /** Some positions were compared. */
  readonly onChecked: () => void;
  readonly onFailed: (error: unknown) => void;
}

/**
 * Compares positions that are in doubt with the topic, one node beside the other: a node that does not answer holds
 * up the partitions that it leads and no others.
 */
export class PositionChecks {
  readonly #options: PositionChecksOptions;

  constructor(options: PositionChecksOptions) {
    this.#options = options;
  }

  begin(): void {
    const { fetcher, positions, onFailed } = this.#options;
    const byNode = new Map<number, Map<number, Leader>>();
    for (const [partition, leader] of fetcher.slots.takeDoubtful()) {
      const led = byNode.get(leader.nodeId) ?? new Map<number, Leader>();
      byNode.set(leader.nodeId, led.set(partition, leader));
    }
    for (const led of byNode.values()) void this.#check(led, positions()).catch(onFailed);
  }

  async #check(led: ReadonlyMap<number, Leader>, positions: ReadonlyMap<number, Position>): Promise<void> {
    const { client, topic, signal, leaders, fetcher, onChecked } = this.#options;
    try {
      const offsets = await checkPositions({ client, topic, led, positions });
      if (signal.aborted) return;
      for (const [partition, leader] of led) {
        const offset = offsets.get(partition);
        if (offset === undefined) fetcher.slots.putBack(partition, leader);
        else fetcher.assign(partition, leader, offset);
      }
      onChecked();
    } catch (error) {
      if (signal.aborted) return;
      // A node that has just started knows no topics for a moment; whether the topic is gone, the leaders tell.
      if (!isPassing(error) && answerOf(error) !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error;
      for (const [partition, leader] of led) fetcher.slots.putBack(partition, leader);
      if (isConnectionError(error)) for (const { nodeId } of led.values()) leaders.suspect(nodeId);
      leaders.hurry();
    }
  }
}
