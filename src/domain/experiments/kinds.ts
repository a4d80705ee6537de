/** What can be done to a shop on an embedded broker to see that its books stay balanced. */
export const EXPERIMENTS = [
  { kind: 'kill-shop', about: 'kill -9 the processors while orders arrive' },
  { kind: 'kill-broker', about: 'kill -9 the broker while orders arrive' },
  { kind: 'kill-api', about: 'kill -9 the API while orders arrive' },
  { kind: 'restart-broker', about: 'stop and start the broker while orders arrive' },
  { kind: 'duplicates', about: 'send every order twice' },
  { kind: 'garbage', about: 'send records that are not orders' },
  { kind: 'late', about: 'send orders that are one to two days old, the latest first' },
  { kind: 'gateway-down', about: 'the payment gateway fails for a while' },
  { kind: 'gateway-loses', about: 'the payment gateway charges, but its answers are lost' },
  { kind: 'last-one', about: 'ten buyers order the last unit at once' },
  { kind: 'chaos', about: 'several of these while orders arrive' },
] as const;

export type ExperimentKind = (typeof EXPERIMENTS)[number]['kind'];

/** Seeds are whole numbers up to this one. */
export const MAX_SEED = 2 ** 32 - 1;
