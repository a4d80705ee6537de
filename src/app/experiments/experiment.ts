import type { ExperimentKind } from '../../domain/experiments/kinds.ts';
import type { Receipt } from '../../domain/experiments/receipt.ts';
import { isFailure } from '../../domain/failure.ts';
import type { Stage } from './stage.ts';
import { seededRandom } from '../send/produce.ts';
import { ACTS } from './acts.ts';
import { duplicatesSince, type Notes } from './notes.ts';
import { Wave } from './wave.ts';

/** The time limit of an experiment: it reports what has not ended by then. */
const LIMIT_MS = 150_000;

/** Does one thing to a shop, waits until its orders have ended, and counts. Throws only for a bug in this program. */
export async function runExperiment(
  stage: Stage,
  { id, kind, seed }: { readonly id: string; readonly kind: ExperimentKind; readonly seed: number },
  until = AbortSignal.timeout(LIMIT_MS),
): Promise<Receipt> {
  const startedAt = stage.now();
  const random = seededRandom(seed);
  const wave = new Wave(stage, id, random, until);
  const notes: Notes = { did: [], checks: [], backMs: null, inFlight: null };
  let problem: string | null = null;
  let differences: number | null = null;
  let duplicates: number | null = null;
  try {
    const before = await stage.duplicates();
    await ACTS[kind]({ stage, wave, random, notes });
    const ended = await wave.end();
    notes.checks.unshift({ what: 'orders decided', expected: wave.size, seen: ended });
    differences = await stage.audit();
    duplicates = await duplicatesSince(stage, before);
  } catch (error) {
    if (!isFailure(error)) throw error;
    problem = error.message;
  }
  return { id, kind, seed, startedAt, endedAt: stage.now(), ...notes, duplicates, differences, problem };
}
