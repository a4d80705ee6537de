import { moves } from './moves.ts';
import { isFinal, violation } from './properties.ts';
import type { Rules } from './rules.ts';
import type { Model, Scenario, World } from './world.ts';

export interface Explored {
  readonly states: number;
  readonly finalStates: number;
  /** What went wrong and the shortest way there; null if nothing did. */
  readonly found: { readonly what: string; readonly way: readonly string[] } | null;
}

/** How a state was first reached. */
interface Step {
  readonly from: number;
  readonly name: string;
  /** Index, in the state before, of the instance that made the step; null if no instance did. */
  readonly by: number | null;
  /** Whether the instances were swapped to be in the order of their text. */
  readonly turned: boolean;
}

/**
 * Visits every reachable state, breadth first, and then checks that an end can be reached from each of them. Stops at
 * the first violation.
 */
export function explore({ start, ...what }: Scenario, rules: Rules): Explored {
  const model: Model = { ...what, rules };
  const first = JSON.stringify(start);
  const numberOf = new Map<string, number>([[first, 0]]);
  const states = [first];
  const steps: Step[] = [{ from: -1, name: '', by: null, turned: false }];
  const before: number[][] = [[]];
  const finals: number[] = [];
  const ends = (found: Explored['found']): Explored => ({
    states: states.length,
    finalStates: finals.length,
    found,
  });
  for (let at = 0; at < states.length; at++) {
    const world = JSON.parse(states[at] ?? '') as World;
    const wrong = violation(world, model);
    if (wrong !== null) return ends({ what: wrong, way: wayTo(steps, at) });
    if (isFinal(world, model)) finals.push(at);
    for (const { name, by, apply } of moves(world, model)) {
      const next = copy(world);
      apply(next);
      const turned = turn(next);
      const key = JSON.stringify(next);
      const known = numberOf.get(key);
      if (known !== undefined) before[known]?.push(at);
      else {
        numberOf.set(key, states.length);
        states.push(key);
        steps.push({ from: at, name, by, turned });
        before.push([at]);
      }
    }
  }
  const dead = firstDead(before, finals);
  if (dead === null) return ends(null);
  return ends({ what: `no end can be reached: ${states[dead] ?? ''}`, way: wayTo(steps, dead) });
}

/** Copies objects and arrays deeply; much faster than structuredClone. */
function copy<T>(value: T): T {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(copy) as T;
  const result: Record<string, unknown> = {};
  for (const name in value) result[name] = copy(value[name]);
  return result as T;
}

/** Instances are interchangeable: puts the two in the order of their text. */
function turn(world: World): boolean {
  const [one, other] = world.instances;
  if (one === undefined || other === undefined || JSON.stringify(one) <= JSON.stringify(other)) return false;
  world.instances = [other, one];
  return true;
}

/** The steps to a state, the instances called A and B throughout. */
function wayTo(steps: readonly Step[], state: number): string[] {
  const found: Step[] = [];
  for (let at = state; at > 0; at = steps[at]?.from ?? 0) {
    const step = steps[at];
    if (step !== undefined) found.unshift(step);
  }
  let names = ['A', 'B'];
  return found.map(({ name, by, turned }) => {
    const label = by === null ? name : `${names[by] ?? ''} ${name}`;
    if (turned) names = names.toReversed();
    return label;
  });
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
