import { LINES_A_SECOND } from '../consume/decision-throttle.ts';

const WINDOW_MS = 1_000;

/**
 * Limits how many orders are listed as they are sent: each, up to 20 a second; beyond that, a count once a second.
 * After a second with more than 20, the next lists none. Pure: the caller passes the time in milliseconds.
 */
export class SentThrottle {
  #windowStart = Number.NEGATIVE_INFINITY;
  #listed = 0;
  #isFlood = false;
  /** Orders sent in this second. */
  #counted = 0;
  /** Total of orders sent but not listed. */
  unlisted = 0;

  /**
   * @param sent number of orders just sent
   * @returns `list`: how many of these to list, from the first; `before`: how many of the previous second were not
   *   listed, 0 until that second is over
   */
  add(sent: number, nowMs: number): { readonly list: number; readonly before: number } {
    let before = 0;
    if (nowMs - this.#windowStart >= WINDOW_MS) {
      before = this.#counted;
      this.#isFlood = this.#listed + before > LINES_A_SECOND;
      this.#windowStart = nowMs;
      this.#listed = 0;
      this.#counted = 0;
    }
    const list = this.#isFlood ? 0 : Math.min(sent, LINES_A_SECOND - this.#listed);
    this.#listed += list;
    this.#counted += sent - list;
    this.unlisted += sent - list;
    return { list, before };
  }
}
