/** Fetched and not yet taken: beyond that nothing more is asked for. */
const MAX_BYTES = 16 * 1024 * 1024;

/** What all consumers of a process may have fetched ahead. One that has nothing may always ask, so that none starves. */
export class FetchBudget {
  readonly #held = new Map<object, number>();
  /** Called once there may be room again. */
  readonly #waiting = new Set<() => void>();

  /** @param holder has so many bytes now */
  update(holder: object, sizeBytes: number): void {
    const before = this.#held.get(holder) ?? 0;
    if (sizeBytes === 0) this.#held.delete(holder);
    else this.#held.set(holder, sizeBytes);
    if (sizeBytes >= before) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }

  /** @param wake is called when it is worth while to ask again */
  hasRoom(holder: object, wake: () => void): boolean {
    if (!this.#held.has(holder)) return true;
    let sum = 0;
    for (const sizeBytes of this.#held.values()) sum += sizeBytes;
    if (sum <= MAX_BYTES) return true;
    this.#waiting.add(wake);
    return false;
  }
}
