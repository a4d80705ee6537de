import type { StoreAccess } from '../../ports/access.ts';
import type { Stack } from './stack.ts';

/** The part of sample orders that go through the checkout, where anything has a price. */
const CHECKOUT_SHARE = 0.3;

type Share = readonly [flow: 'direct' | 'checkout', share: number];

export async function sharesOf(access: StoreAccess): Promise<readonly Share[]> {
  await using reader = await access.read();
  for (const { price } of await reader.items()) {
    if (price === null) continue;
    return [
      ['direct', 1 - CHECKOUT_SHARE],
      ['checkout', CHECKOUT_SHARE],
    ];
  }
  return [['direct', 1]];
}

export async function startSamples(stack: Stack, perSecond: number, shares: readonly Share[]): Promise<void> {
  for (const [flow, share] of shares) {
    const rate = String(perSecond * share);
    const args = ['produce', '--flow', flow, '--count', '0', '--rate', rate, '-q'];
    await stack.part('produce', () => args, { announces: false }).start();
  }
}
