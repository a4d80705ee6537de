import { Failure } from '../../domain/failure.ts';
import { resolveSecret } from './secrets.ts';
import { isDatabase } from './store-type.ts';
import type { ResolvedSetting } from './values.ts';

const MASK = '********';

export interface StorePlace {
  /** The folder, or the URL without its password. */
  readonly storage: string;
  readonly storePassword: string | null;
}

const NEARNESS: Readonly<Record<ResolvedSetting['source'], number>> = {
  flag: 0,
  environment: 1,
  file: 2,
  implied: 3,
  default: 3,
};

/**
 * Settles `--store` and its older name `--storage`, which are one setting: the one from the nearer source is used.
 *
 * @param byName a password in the URL is replaced by a mask in this map
 * @throws Failure usage: both are given by the same kind of source
 */
export function settleStore(
  byName: Map<string, ResolvedSetting>,
  env: Readonly<Record<string, string | undefined>>,
): StorePlace {
  const store = byName.get('store');
  const storage = byName.get('storage');
  const folder: StorePlace = { storage: String(storage?.value), storePassword: null };
  if (store === undefined || storage === undefined || store.value === null) return folder;
  const [near, far] = [NEARNESS[store.source], NEARNESS[storage.source]];
  if (near === far) {
    throw new Failure('usage', 'the store is given twice, as --store and as its older name --storage', {
      fix: `omit one of them (${store.from ?? ''}, ${storage.from ?? ''})`,
    });
  }
  if (near > far) return folder;
  const value = String(store.value);
  if (!isDatabase(value)) return { storage: value, storePassword: null };
  const url = new URL(value);
  const password = decodeURIComponent(url.password);
  if (password !== '') {
    url.password = MASK;
    byName.set('store', { ...store, value: url.href });
    url.password = '';
  }
  return { storage: url.href, storePassword: password === '' ? databasePassword(env) : password };
}

/** @throws Failure invalid_settings */
export function databasePassword(env: Readonly<Record<string, string | undefined>>): string | null {
  const { value } = resolveSecret('store_password', env);
  if (typeof value === 'string') return value;
  // Programs of PostgreSQL use this variable, too.
  return env.PGPASSWORD === undefined || env.PGPASSWORD === '' ? null : env.PGPASSWORD;
}
