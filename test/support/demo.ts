import fs from 'node:fs';
import type { Running, Shop } from './cli.ts';

/** A demo whose temporary folder is inside the shop's. */
export function startDemo(shop: Shop, args = ''): Running {
  // The caller's settings must not affect it.
  const env = { TMPDIR: shop.folder, ORDERCTL_BROKERS: 'nowhere:1', ORDERCTL_TOPIC: 'other' };
  return shop.start(`demo ${args}`, { env });
}

export function demoFolders(shop: Shop): string[] {
  return fs.readdirSync(shop.folder).filter((name) => name.startsWith('orderctl-demo-'));
}
