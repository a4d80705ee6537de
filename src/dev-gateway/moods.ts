/** The behaviours of the gateway, to test how a shop copes with them. */
export const MOODS = [
  'normal',
  /** Charges are declined. */
  'decline',
  /** Answers are a second late. */
  'delay',
  /** Answers 503 without doing anything. */
  'error',
  /** Neither acts nor answers. */
  'hang',
  /** The money moves, but the connection breaks before the answer. */
  'lose',
  /** Like `lose`, and the key is forgotten: if asked again, the money moves again. A look-up still finds it. */
  'forget',
] as const;
export type Mood = (typeof MOODS)[number];

export function isMood(value: unknown): value is Mood {
  return MOODS.some((mood) => mood === value);
}

/** The mood of each request: the one that was set, or else the one in the customer's name. */
export class Moods {
  #set: { mood: Mood; left: number } = { mood: 'normal', left: Infinity };
  readonly #met = new Set<string>();

  /** @param times number of requests; Infinity: until the next call */
  set(mood: Mood, times: number): void {
    this.#set = { mood, left: times };
  }

  get now(): { readonly mood: Mood; readonly times: number | null } {
    const { mood, left } = this.#set;
    return { mood, times: left === Infinity ? null : left };
  }

  /** The mood of a look-up: only those that do not affect whether money moves. */
  ofLookUp(): Mood {
    const { mood } = this.#set;
    return mood === 'delay' || mood === 'error' || mood === 'hang' ? this.#take() : 'normal';
  }

  /**
   * `decline-bob` is always declined and `delay-amy` always delayed; other moods before a hyphen apply to the first
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
