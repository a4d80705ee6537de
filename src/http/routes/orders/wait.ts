/** Longer than any client and proxy waits by itself. */
export const MAX_WAIT_SECONDS = 30;

/** `5s`. @returns milliseconds, 0 for none */
export function waitMs(text: string | undefined): number {
  return Math.min(Number(text?.slice(0, -1) ?? 0), MAX_WAIT_SECONDS) * 1_000;
}
