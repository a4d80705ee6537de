/** Most bytes fetched and not yet taken: beyond this, nothing more is requested. */
const MAX_BYTES = 16 * 1024 * 1024;
const LARGEST_ANSWER_BYTES = 6 * 1024 * 1024;
/** The size of a producer's batch by default. */
const SMALLEST_ANSWER_BYTES = 1024 * 1024;

/** How much all consumers of a process may fetch ahead. One that has nothing may always fetch, so that none starves. */
export class FetchBudget {
  readonly #holders = new Set<object>();
  readonly #held = new Map<object, number>();
  /** Called once there may be room again. */
  readonly #waiting = new Set<() => void>();

  join(holder: object): void {
    this.#holders.add(holder);
  }

  leave(holder: object): void {
    this.#holders.delete(holder);
    this.update(holder, 0);
  }

  /** Most bytes of one answer: with one answer for each consumer, all stay within the budget. */
  get answerBytes(): number {
    const share = Math.floor(MAX_BYTES / this.#holders.size);
    return Math.min(LARGEST_ANSWER_BYTES, Math.max(SMALLEST_ANSWER_BYTES, share));
  }

  /** @param sizeBytes what the holder has now */
  update(holder: object, sizeBytes: number): void {
    const before = this.#held.get(holder) ?? 0;
    if (sizeBytes === 0) this.#held.delete(holder);
    else this.#held.set(holder, sizeBytes);
    if (sizeBytes >= before) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** @param wake is called when it is worth asking again */
  hasRoom(holder: object, wake: () => void): boolean {
    if (!this.#held.has(holder)) return true;
    let sum = 0;
    for (const sizeBytes of this.#held.values()) sum += sizeBytes;
    if (sum <= MAX_BYTES) return true;
    this.#waiting.add(wake);
    return false;
  }
}
