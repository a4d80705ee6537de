import type { Awaited } from '../../app/run/events.ts';

const NAMES: Readonly<Record<Awaited, string>> = {
  broker: 'brokers',
  registry: 'schema registry',
  store: 'database',
};

/** A service that a run waits for, in words. */
export function serviceName(service: Awaited): string {
  return NAMES[service];
}
