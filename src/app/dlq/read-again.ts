import type { DecodedRecord, OrderCodec } from '../../ports/codec.ts';
import type { DeadLetter } from './dead-letters.ts';

/**
 * What consuming dead letters would make of each now.
 *
 * @throws Failure registry_unreachable, registry_refused
 */
export function readAgain(
  codec: OrderCodec,
  deadLetters: readonly DeadLetter[],
): Promise<readonly DecodedRecord[]> {
  return codec.decode(
    deadLetters.map(({ key, value, headers, failedAt }) => ({
      ...{ offset: 0, timestamp: failedAt ?? 0 },
      ...{ key, value, headers },
    })),
  );
}
