import { Type } from 'typebox';

/** Less than the usual time-outs of clients and proxies. */
const MAX_WAIT_SECONDS = 30;

/** `5s`. @returns milliseconds, 0 for none */
export function waitMs(text: string | undefined): number {
  return Math.min(Number(text?.slice(0, -1) ?? 0), MAX_WAIT_SECONDS) * 1_000;
}

export const Wait = Type.String({
  pattern: String.raw`^\d{1,2}s$`,
  description: `a number of seconds such as 5s; answers once the order is decided, or after this time, at most ${MAX_WAIT_SECONDS}s`,
});
