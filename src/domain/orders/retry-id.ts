/** `ORD-7.r2` is the second try of ORD-7, where that is an order of its own with the same content. */
const RETRY_ID = /^(.+)\.r[1-9]\d{0,8}$/;

export function retryId(orderId: string, number: number): string {
  return `${orderId}.r${number}`;
}

/** The id that this one would be a try of, or null. */
export function triedId(orderId: string): string | null {
  return RETRY_ID.exec(orderId)?.[1] ?? null;
}
