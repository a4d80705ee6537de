import { isAsExpected, type Receipt } from '../../domain/experiments/receipt.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { Experiment } from '../http/experiment.ts';

export function experimentDocument(receipt: Receipt): Experiment {
  const { id, kind, seed, startedAt, endedAt, did, backMs, inFlight, duplicates } = receipt;
  const { checks, differences, problem } = receipt;
  return {
    id,
    kind,
    seed,
    started_at: isoTime(startedAt),
    ended_at: isoTime(endedAt),
    did,
    back_ms: backMs === null ? null : Math.round(backMs),
    in_flight: inFlight,
    duplicates,
    checks,
    differences,
    ok: isAsExpected(receipt),
    problem,
  };
}

/** `kill -9 4711 · back in 640 ms · 13 in flight · 30 of 30 orders decided · books ✓ · seed 42` */
export function receiptInWords(experiment: Omit<Experiment, 'id'>): string {
  const { did, back_ms, in_flight, duplicates, checks, differences, problem, seed } = experiment;
  return [
    ...did,
    ...(back_ms === null ? [] : [`back in ${back_ms} ms`]),
    ...(in_flight === null ? [] : [`${in_flight} in flight`]),
    ...checks.map(({ what, expected, seen }) => {
      return seen === expected ? `${seen} ${what}` : `${seen ?? 'unknown'} ${what}, not ${expected}`;
    }),
    ...(duplicates === null || duplicates === 0 || checks.some(({ what }) => what.startsWith('duplicates'))
      ? []
      : [`${duplicates} duplicates dropped`]),
    problem ?? (differences === 0 ? 'books ✓' : `books ✗: ${differences ?? 'unknown'} differences`),
    `seed ${seed}`,
  ].join(' · ');
}
