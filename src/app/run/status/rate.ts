/** How many whole seconds the rate is averaged over. */
const RATE_SECONDS = 10;

/** Records per second, averaged over the last ten seconds. */
export class Rate {
  readonly #startedAt: number;
  /** Records by second, the last few seconds only. */
  readonly #bySecond: { readonly second: number; records: number }[] = [];

  /** @param startedAt as in Clock.elapsed, in milliseconds */
  constructor(startedAt: number) {
    this.#startedAt = startedAt;
  }

  add(records: number, now: number): void {
    const second = Math.floor(now / 1000);
    const last = this.#bySecond.at(-1);
    if (last?.second === second) last.records += records;
    else this.#bySecond.push({ second, records });
    if (this.#bySecond.length > RATE_SECONDS + 1) this.#bySecond.shift();
  }

  /** To one decimal, over the last whole seconds and the current one, but not the time before the start. */
  at(now: number): number {
    const first = Math.floor(now / 1000) - RATE_SECONDS;
    let records = 0;
    for (const entry of this.#bySecond) if (entry.second >= first) records += entry.records;
    const seconds = (now - Math.max(first * 1000, this.#startedAt)) / 1000;
    // Otherwise, a single order in a few milliseconds would count as a thousand per second.
    return Math.round((records / Math.max(seconds, 1)) * 10) / 10;
  }
}
