import { expect, test, vi } from 'vitest';
import type { KafkaClient } from '../../../src/adapters/kafka/client.ts';
import { fetchFingerprints, listRanges } from '../../../src/adapters/kafka/offsets.ts';
import { checkPositions } from '../../../src/adapters/kafka/positions.ts';

vi.mock('../../../src/adapters/kafka/offsets.ts');

test('another record is told whatever its timestamp is, nanoseconds too', async () => {
  const client = {} as unknown as KafkaClient;
  vi.mocked(listRanges).mockResolvedValue([{ partition: 0, start: 0, end: 9 }]);
  const last = { offset: 4, timestamp: 1_700_000_000_000_000_000, crc: 1 };
  vi.mocked(fetchFingerprints).mockResolvedValue(new Map([[0, { ...last, crc: 2 }]]));
  const positions = new Map([[0, { topic: 'orders', partition: 0, next: 5, last, clusterId: 'c' }]]);
  await expect(
    checkPositions({ client, topic: 'orders', led: new Map([[0, { nodeId: 1, epoch: 0 }]]), positions }),
  ).rejects.toMatchObject({
    code: 'topic_changed',
    context: { topic: 'orders', partition: 0, offset: 5 },
  });
});
