import { Failure } from '../../domain/failure.ts';

const SHOWN = 5;

/** Adds to the failure of a redrive which dead letters may have been sent. */
export function inDoubt(failure: Failure, unknown: readonly string[]): Failure {
  const all = unknown.length > SHOWN ? `, … (${unknown.length} in all)` : '';
  const doubt =
    unknown.length === 0
      ? ''
      : `; it is unknown whether these were sent: ${unknown.slice(0, SHOWN).join(', ')}${all}`;
  const way = 'run the same command again: dead letters that were sent are marked and not sent again';
  return new Failure(failure.code, failure.message + doubt, {
    fix: failure.fix === null ? way : { kind: 'in_turn', steps: [failure.fix, way] },
    context: failure.context,
    cause: failure,
  });
}
