/** How it can behave, to see how a shop copes. */
export const MOODS = [
  'normal',
  /** Charges are declined. */
  'decline',
  /** Answers come a second late. */
  'delay',
  /** 503, and nothing is done. */
  'error',
  /** Nothing is done, and no answer comes. */
  'hang',
  /** The money moves, and the connection breaks before the answer. */
  'lose',
  /** As `lose`, and the key is forgotten: asked again, the money moves again. A look-up still finds it. */
  'forget',
] as const;
export type Mood = (typeof MOODS)[number];

export function isMood(value: unknown): value is Mood {
  return MOODS.some((mood) => mood === value);
}

/** The mood of each request: what was asked for next, else what the customer's name asks for. */
export class Moods {
  #set: { mood: Mood; left: number } = { mood: 'normal', left: Infinity };
  readonly #met = new Set<string>();

  /** @param times so many requests; Infinity: until the next call */
  set(mood: Mood, times: number): void {
    this.#set = { mood, left: times };
  }

  get now(): { readonly mood: Mood; readonly times: number | null } {
    const { mood, left } = this.#set;
    return { mood, times: left === Infinity ? null : left };
  }

  /** Of a look-up: only moods that do not concern whether money moves. */
  ofLookUp(): Mood {
    const { mood } = this.#set;
    return mood === 'delay' || mood === 'error' || mood === 'hang' ? this.#take() : 'normal';
  }

  /**
   * `decline-bob` is declined and `delay-amy` waits, always; other words before a hyphen are what happens to the first
   * request with each key.
   */
  ofRequest(customerId: string, key: string): Mood {
    if (this.#set.mood !== 'normal') return this.#take();
    const word = /^([a-z]+)-/.exec(customerId)?.[1];
    if (!isMood(word)) return 'normal';
    if (word === 'decline' || word === 'delay') return word;
    if (this.#met.has(key)) return 'normal';
    this.#met.add(key);
    return word;
  }

  #take(): Mood {
    const { mood, left } = this.#set;
    this.#set = left > 1 ? { mood, left: left - 1 } : { mood: 'normal', left: Infinity };
    return mood;
  }
}
