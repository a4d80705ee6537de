import { openStore } from '../compose.ts';
import { keptAsideText } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** Warns of files of the user that were kept aside, until somebody has dealt with them. */
export async function warnOfKeptAside({ settings, printer }: Session): Promise<void> {
  for (const kept of (await openStore(settings)).keptAside()) printer.warn(keptAsideText(kept));
}
