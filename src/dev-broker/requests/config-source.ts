/** Sources of a configuration, as the protocol numbers them. */
export const CONFIG_SOURCE = { topic: 1, broker: 4, default: 5 } as const;

/** Kinds of configured resources, as the protocol numbers them. */
export const RESOURCE = { topic: 2, broker: 4 } as const;
