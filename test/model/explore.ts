import { moves } from './moves.ts';
import { isFinal, violation } from './properties.ts';
import type { Rules, World } from './world.ts';

export interface Explored {
  readonly states: number;
  readonly finalStates: number;
  /** What went wrong and the shortest way there; null: nothing. */
  readonly found: { readonly what: string; readonly way: readonly string[] } | null;
}

/**
 * Visits every state that can be reached, breadth first, and then makes sure that from each of them an end can be
 * reached. Ends at the first violation.
 */
export function explore(start: World, rules: Rules): Explored {
  const first = JSON.stringify(start);
  const numberOf = new Map<string, number>([[first, 0]]);
  const states = [first];
  const cameFrom: { from: number; name: string }[] = [{ from: -1, name: '' }];
  const before: number[][] = [[]];
  const finals: number[] = [];
  const wayTo = (state: number): string[] => {
    const way: string[] = [];
    for (let at = state; at > 0; at = cameFrom[at]?.from ?? 0) way.unshift(cameFrom[at]?.name ?? '');
    return way;
  };
  for (let at = 0; at < states.length; at++) {
    const text = states[at] ?? '';
    const world = JSON.parse(text) as World;
    const what = violation(world, rules);
    if (what !== null)
      return { states: states.length, finalStates: finals.length, found: { what, way: wayTo(at) } };
    if (isFinal(world)) finals.push(at);
    for (const { name, apply } of moves(world, rules)) {
      const next = JSON.parse(text) as World;
      apply(next);
      const key = JSON.stringify(next);
      const known = numberOf.get(key);
      if (known !== undefined) before[known]?.push(at);
      else {
        numberOf.set(key, states.length);
        states.push(key);
        cameFrom.push({ from: at, name });
        before.push([at]);
      }
    }
  }
  const dead = firstDead(before, finals);
  const found =
    dead === null ? null : { what: `no end can be reached: ${states[dead] ?? ''}`, way: wayTo(dead) };
  return { states: states.length, finalStates: finals.length, found };
}

/** @returns a state from which no final state can be reached, or null */
function firstDead(before: readonly (readonly number[])[], finals: readonly number[]): number | null {
  const reaches = new Uint8Array(before.length);
  const work = [...finals];
  for (const state of work) reaches[state] = 1;
  for (let state = work.pop(); state !== undefined; state = work.pop()) {
    for (const earlier of before[state] ?? []) {
      if (reaches[earlier] === 1) continue;
      reaches[earlier] = 1;
      work.push(earlier);
    }
  }
  const dead = reaches.indexOf(0);
  return dead === -1 ? null : dead;
}
