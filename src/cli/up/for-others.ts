import type { Up } from '../../documents/development.ts';
import { quoted } from '../hints.ts';
import type { Session } from '../session.ts';
import { SETTINGS } from '../settings/table.ts';

/** Text that needs no quotes in a shell. */
const PLAIN = /^[\w./:@,=-]+$/;

/**
 * The settings that other commands need to find this shop: the flags of `up` apply only to it, and it may have chosen
 * addresses itself. None of them is a secret, and the URL of a store has no password.
 *
 * @returns a line for a shell; null if other commands find the shop without it
 */
export function exportsFor(
  { resolved, env }: Pick<Session, 'resolved' | 'env'>,
  { brokers, registry, storage }: Pick<Up, 'brokers' | 'registry' | 'storage'>,
): string | null {
  const { byName, settings } = resolved;
  const values = new Map<string, string>();
  for (const { name, env: variable, ...spec } of SETTINGS) {
    const found = 'isPlace' in spec ? byName.get(name) : undefined;
    if (found?.source === 'flag') values.set(variable, String(found.value));
  }
  if (brokers !== settings.brokers) values.set('ORDERCTL_BROKERS', brokers);
  if (registry !== settings.registry) values.set('ORDERCTL_REGISTRY', registry);
  // Two names of one setting.
  const isGiven = [values.delete('ORDERCTL_STORAGE'), values.delete('ORDERCTL_STORE')].includes(true);
  const isOtherStore = isGiven || storage !== settings.storage;
  if (isOtherStore) values.set('ORDERCTL_STORE', storage);
  if (values.size === 0) return null;
  const words = [...values].map(([name, value]) => `${name}=${PLAIN.test(value) ? value : quoted(value)}`);
  const unset = isOtherStore && env.ORDERCTL_STORAGE !== undefined ? 'unset ORDERCTL_STORAGE; ' : '';
  return `${unset}export ${words.join(' ')}`;
}
