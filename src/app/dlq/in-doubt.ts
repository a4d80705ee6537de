import { Failure } from '../../domain/failure.ts';

const SHOWN = 5;

/** Why a redrive ended before its end, with the ids of those that may have gone. */
export function inDoubt(failure: Failure, unknown: readonly string[]): Failure {
  const all = unknown.length > SHOWN ? `, … (${unknown.length} in all)` : '';
  const doubt =
    unknown.length === 0 ? '' : `; whether ${unknown.slice(0, SHOWN).join(', ')}${all} went is unknown`;
  const way = 'run the same command again: what went is marked and does not go twice';
  return new Failure(failure.code, failure.message + doubt, {
    fix: failure.fix === null ? way : { kind: 'in_turn', steps: [failure.fix, way] },
    context: failure.context,
    cause: failure,
  });
}
