import { openStore } from '../compose.ts';
import { Failure } from '../domain/failure.ts';
import type { Advice } from '../domain/advice.ts';
import type { StoreAccess } from '../ports/access.ts';
import { printNotice } from './output/store-notices.ts';
import type { Session } from './session.ts';

/** The store of a run, to read: what is wrong with its files is a warning. */
export function openStoreOf({ settings, printer }: Session): Promise<StoreAccess> {
  return openStore(settings, (notice) => printNotice(printer, notice));
}

/** @throws Failure not_found: no consumer runs on the folder, or there is no such folder */
export async function failForNoConsumer(access: StoreAccess, fix: Advice): Promise<never> {
  // Reading what is no storage folder says so.
  if (!(await access.isThere())) await (await access.read())[Symbol.asyncDispose]();
  throw new Failure('not_found', `no consumer runs on ${access.name}`, { fix });
}
