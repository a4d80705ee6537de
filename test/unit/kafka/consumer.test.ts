import { expect, test, vi } from 'vitest';
import { KafkaClient } from '../../../src/adapters/kafka/client.ts';
import { createConsumer } from '../../../src/adapters/kafka/consumer.ts';
import type { MembershipOptions } from '../../../src/adapters/kafka/membership.ts';
import { createErrorFromCode, LEADER_NOT_AVAILABLE } from '../../../src/adapters/kafka/kafkajs-internals.ts';

/** A group that lets us in at once. */
vi.mock('../../../src/adapters/kafka/membership.ts', () => ({
  Membership: class {
    readonly member = undefined;
    readonly #options: MembershipOptions;
    constructor(options: MembershipOptions) {
      this.#options = options;
    }
    start = async (): Promise<void> => this.#options.onJoined([0]);
    leave = async (): Promise<void> => undefined;
    rejoin = (): void => undefined;
  },
}));

/** A broker that is gone as soon as the group was joined. */
vi.mock('../../../src/adapters/kafka/positions.ts', () => ({
  checkPositions: () => Promise.reject(createErrorFromCode(LEADER_NOT_AVAILABLE)),
}));

vi.spyOn(KafkaClient.prototype, 'topic').mockResolvedValue({
  cluster: { clusterId: 'c', controllerId: 0, brokers: [], topics: [] },
  topic: { topic: 'orders', errorCode: 0, partitions: [] },
});

test('a broker that goes between the join and the first look at the positions ends a bounded run', async () => {
  await using consumer = createConsumer({ brokers: ['127.0.0.1:9'], clientId: 'c', tls: null, sasl: null });
  const run = consumer.run(
    {
      topic: 'orders',
      group: 'g',
      clientId: 'c',
      metadata: 'm',
      positions: () => new Map(),
      onEvent: () => undefined,
      stallTimeoutMs: 500,
      signal: new AbortController().signal,
    },
    (batch) => Promise.resolve(batch.next),
  );
  await expect(run).rejects.toMatchObject({ code: 'broker_unreachable' });
});
