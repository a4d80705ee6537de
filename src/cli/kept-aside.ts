import { openStore } from '../compose.ts';
import { keptAsideText } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** Warns of the user's files that were set aside, until the user has settled them. */
export async function warnOfKeptAside({ settings, printer }: Session): Promise<void> {
  for (const kept of (await openStore(settings)).keptAside()) printer.warn(keptAsideText(kept));
}
