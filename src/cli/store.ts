import { openStore } from '../compose.ts';
import { Failure } from '../domain/failure.ts';
import type { Advice } from '../domain/advice.ts';
import type { StoreAccess } from '../ports/access.ts';
import { printNotice } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** Opens the store of a run for reading; problems with its files are printed as warnings. */
export function openStoreOf({ settings, printer }: Session): Promise<StoreAccess> {
  return openStore(settings, (notice) => printNotice(printer, notice));
}

/** @throws Failure not_found: no consumer runs on the folder, or the folder does not exist */
export async function failForNoConsumer(access: StoreAccess, fix: Advice): Promise<never> {
  // Reading fails with a better message if this is not a storage folder.
  if (!(await access.isThere())) await (await access.read())[Symbol.asyncDispose]();
  throw new Failure('not_found', `no consumer runs on ${access.name}`, { fix });
}
