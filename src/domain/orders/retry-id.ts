/** `ORD-7.r2` is the second retry of ORD-7: a separate order with the same content. */
const RETRY_ID = /^(.+)\.r[1-9]\d{0,8}$/;

export function retryId(orderId: string, number: number): string {
  return `${orderId}.r${number}`;
}

/** The id of the order that an order with this id would retry, or null. */
export function triedId(orderId: string): string | null {
  return RETRY_ID.exec(orderId)?.[1] ?? null;
}
