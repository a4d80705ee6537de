import type { Awaited } from '../../ports/owner.ts';

const NAMES: Readonly<Record<Awaited, string>> = {
  broker: 'brokers',
  registry: 'schema registry',
  store: 'database',
  others: 'other processes of the store',
};

/** The name of a service that a run waits for. */
export function serviceName(service: Awaited): string {
  return NAMES[service];
}

export function answersAgain(service: Awaited): string {
  const isPlural = service === 'broker' || service === 'others';
  return `the ${serviceName(service)} ${isPlural ? 'answer' : 'answers'} again`;
}
