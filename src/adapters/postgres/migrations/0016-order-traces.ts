/* The trace that led to a decision, where it was sampled: the span of a replay has a link to it. */
export const ORDER_TRACES = `ALTER TABLE orderctl.orders ADD COLUMN traceparent text`;
