/** Numbers determined by a seed. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
  /** One of them, chosen in proportion to its weight. */
  pick<T>(weighed: readonly (readonly [weight: number, value: T])[]): T;
}

/**
 * Numbers from 0 to below 1, determined by a seed: mulberry32, https://github.com/bryc/code/blob/master/jshash/PRNGs.md
 */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function randomOf(seed: number): Random {
  const next = randomFrom(seed);
  return {
    below: (limit) => Math.floor(next() * limit),
    pick: (weighed) => {
      let at = next() * weighed.reduce((sum, [weight]) => sum + weight, 0);
      const found = weighed.find(([weight]) => (at -= weight) < 0) ?? weighed.at(-1);
      if (found === undefined) throw new RangeError('nothing to pick from');
      return found[1];
    },
  };
}
