/** Where a configuration comes from, as the protocol numbers it. */
export const CONFIG_SOURCE = { topic: 1, broker: 4, default: 5 } as const;

/** What a configuration is of, as the protocol numbers it. */
export const RESOURCE = { topic: 2, broker: 4 } as const;
