import fs from 'node:fs';
import type { Running, Shop } from './cli.ts';

/** A demo whose temporary folder lies in the shop's. */
export function startDemo(shop: Shop, args = ''): Running {
  // Settings of the caller do not concern it.
  const env = { TMPDIR: shop.folder, ORDERCTL_BROKERS: 'nowhere:1', ORDERCTL_TOPIC: 'other' };
  return shop.start(`demo ${args}`, { env });
}

export function demoFolders(shop: Shop): string[] {
  return fs.readdirSync(shop.folder).filter((name) => name.startsWith('orderctl-demo-'));
}
