import { explore, noCounts, type Exploration } from './explore.ts';
import type { History } from './steps.ts';

/** Of a failing history: how often a smaller one is tried, since crashes fall elsewhere in it. */
const TRIES = 3;

/** Leaves out steps as long as what is left fails too. @returns the smallest that was found, and how it fails */
export async function shrink(
  history: History,
  error: unknown,
  exploration: Exploration,
): Promise<{ history: History; error: unknown }> {
  let smallest = { history, error };
  for (let at = 0; at < smallest.history.steps.length;) {
    const steps = smallest.history.steps.filter((_, index) => index !== at);
    const failure = await failureOf({ ...smallest.history, steps }, exploration);
    if (failure === undefined) at += 1;
    else smallest = { history: { ...smallest.history, steps }, error: failure.error };
  }
  return smallest;
}

async function failureOf(history: History, { share }: Exploration): Promise<{ error: unknown } | undefined> {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    try {
      await explore({ ...history, seed: history.seed }, { share: attempt === 0 ? share : 1 }, noCounts());
    } catch (error) {
      return { error };
    }
  }
  return undefined;
}

/** All that led to an error, one line a cause. */
export function explain(error: unknown): string {
  const lines: string[] = [];
  for (let cause = error; cause instanceof Error; cause = cause.cause) lines.push(cause.message);
  return lines.join('\n because ');
}
