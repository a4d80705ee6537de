/** What can be done to a shop on an embedded broker to see that its books stay balanced. */
export const EXPERIMENTS = [
  { kind: 'kill-shop', about: 'kill -9 the processors while orders come' },
  { kind: 'kill-broker', about: 'kill -9 the broker while orders come' },
  { kind: 'kill-api', about: 'kill -9 the API while orders come' },
  { kind: 'restart-broker', about: 'stop and start the broker while orders come' },
  { kind: 'duplicates', about: 'send every order twice' },
  { kind: 'garbage', about: 'send records that are no orders' },
  { kind: 'late', about: 'send orders that are one to two days old, the latest first' },
  { kind: 'gateway-down', about: 'the payment gateway fails for a while' },
  { kind: 'gateway-loses', about: 'the payment gateway charges, and its answers are lost' },
  { kind: 'last-one', about: 'ten buyers for the last one at once' },
  { kind: 'chaos', about: 'several of these while orders come' },
] as const;

export type ExperimentKind = (typeof EXPERIMENTS)[number]['kind'];

/** Seeds are whole numbers up to this one. */
export const MAX_SEED = 2 ** 32 - 1;
