import type { ExperimentCheck } from '../../domain/experiments/receipt.ts';
import type { Stage } from './stage.ts';

/** Notes that an experiment makes while it runs. */
export interface Notes {
  readonly did: string[];
  readonly checks: ExperimentCheck[];
  backMs: number | null;
  inFlight: number | null;
}

/** @param before the count at the start; a new process counts from zero */
export async function duplicatesSince(
  stage: Pick<Stage, 'duplicates'>,
  before: Awaited<ReturnType<Stage['duplicates']>>,
): Promise<number | null> {
  const now = await stage.duplicates();
  if (now === null) return null;
  return now.pid === before?.pid ? now.count - before.count : now.count;
}
