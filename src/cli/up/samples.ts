import type { StoreAccess } from '../../ports/access.ts';
import type { Stack } from './stack.ts';

/** The shares of the samples that are checkout orders (if items have prices) and events of stores and other sources. */
const [CHECKOUT_SHARE, SOURCES_SHARE] = [0.3, 0.2];
/** Percentage of store events that are invalid; among orders, those of unpaid users are rejected. */
const FAULTY = '2';

export interface Samples {
  /** Flags of `produce`. */
  readonly flags: readonly string[];
  /** The share of all samples sent. */
  readonly share: number;
}

export async function samplesFor(access: StoreAccess): Promise<readonly Samples[]> {
  await using reader = await access.read();
  let hasPrice = false;
  for (const { price } of await reader.items()) hasPrice ||= price !== null;
  const checkout = hasPrice ? CHECKOUT_SHARE : 0;
  return [
    { flags: ['--flow', 'direct'], share: 1 - SOURCES_SHARE - checkout },
    ...(hasPrice ? [{ flags: ['--flow', 'checkout'], share: checkout }] : []),
    { flags: ['--source', 'all', '--faulty', FAULTY], share: SOURCES_SHARE },
  ];
}

export async function startSamples(
  stack: Stack,
  perSecond: number,
  samples: readonly Samples[],
): Promise<void> {
  for (const { flags, share } of samples) {
    const rate = (perSecond * share).toFixed(2);
    const args = ['produce', ...flags, '--count', '0', '--rate', rate, '-q'];
    await stack.part('produce', () => args, { announces: false }).start();
  }
}
