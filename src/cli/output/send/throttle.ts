import { LINES_A_SECOND } from '../consume/decision-throttle.ts';

const WINDOW_MS = 1_000;

/**
 * Decides which orders are listed as they are sent: each, up to 20 a second; of more, how many there were, once a second.
 * After a second with more, the next has no list either. Pure: time is given in milliseconds.
 */
export class SentThrottle {
  #windowStart = Number.NEGATIVE_INFINITY;
  #listed = 0;
  #isFlood = false;
  /** In this second. */
  #counted = 0;
  /** Sent and not listed, ever. */
  unlisted = 0;

  /**
   * @param sent how many
   * @returns `list`: so many of the first are listed; `before`: so many of the second before were not, 0 until it is over
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
