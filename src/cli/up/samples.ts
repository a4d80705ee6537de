import type { StoreAccess } from '../../ports/access.ts';
import type { Stack } from './stack.ts';

/** The parts of sample orders that go through the checkout, where anything has a price, and of events of stores and the like. */
const [CHECKOUT_SHARE, SOURCES_SHARE] = [0.3, 0.2];
/** Of a hundred events of stores so many are wrong; of orders, those of users that have not paid. */
const FAULTY = '2';

export interface Samples {
  /** Of `produce`. */
  readonly flags: readonly string[];
  /** Of all that is sent. */
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
