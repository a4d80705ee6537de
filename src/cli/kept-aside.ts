import { openStore } from '../compose.ts';
import { keptAsideText } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** What a user has saved and nothing of which counts is said until somebody has dealt with it. */
export async function warnOfKeptAside({ settings, printer }: Session): Promise<void> {
  for (const kept of (await openStore(settings.storage)).keptAside()) printer.warn(keptAsideText(kept));
}
