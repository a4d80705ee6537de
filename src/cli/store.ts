import { openStore } from '../compose.ts';
import type { StoreAccess } from '../ports/access.ts';
import { printNotice } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** The store of a run, to read: what is wrong with its files is a warning. */
export function openStoreOf({ settings, printer }: Session): Promise<StoreAccess> {
  return openStore(settings.storage, (notice) => printNotice(printer, notice));
}
