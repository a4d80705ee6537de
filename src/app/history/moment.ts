import { Failure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { HistoryLine } from '../../ports/store.ts';

/** A place in history: the last commit up to a time, or the commit of a number. */
export type Moment =
  { readonly kind: 'time'; readonly ms: number } | { readonly kind: 'commit'; readonly seq: number };

/** How far history was read for a moment. */
export interface Reached {
  /** The number of the last commit; null: nothing happened, or it was made by a version that did not number commits. */
  seq: number | null;
  /** The time of the last commit, in milliseconds since the epoch. */
  at: number | null;
  /** The number of lines without a commit number, which are placed by their times. */
  unnumbered: number;
}

/**
 * The history up to a moment, in whole commits: ends before the first commit that is later, even if the clock was set
 * back after that.
 *
 * @param reached updated while history is read
 * @throws Failure not_found: history starts later, or no commit has that number yet
 */
export async function* upTo(
  history: AsyncIterable<readonly HistoryLine[]>,
  moment: Moment,
  reached: Reached = { seq: null, at: null, unnumbered: 0 },
): AsyncGenerator<readonly HistoryLine[]> {
  let isFirst = true;
  let last: number | null = null;
  for await (const chunk of history) {
    let end = 0;
    for (const line of chunk) {
      const begins = isFirst || line.seq === null || line.seq !== reached.seq;
      if (begins && isLater(line, moment)) {
        if (isFirst) throw notYet(line, moment);
        if (end > 0) yield chunk.slice(0, end);
        return;
      }
      isFirst = false;
      end += 1;
      reached.seq = line.seq;
      if (begins) reached.at = timeOf(line) ?? reached.at;
      if (line.seq === null) reached.unnumbered += 1;
      last = line.seq;
    }
    yield chunk;
  }
  if (moment.kind === 'commit' && moment.seq > (last ?? 0)) throw notReached(moment.seq, last);
}

function isLater(line: HistoryLine, moment: Moment): boolean {
  if (moment.kind === 'commit') return (line.seq ?? 0) > moment.seq;
  const at = timeOf(line);
  return at !== null && at > moment.ms;
}

/** Facts contain the time of their commit themselves. */
function timeOf(line: HistoryLine): number | null {
  if (line.kind !== 'fact' || line.at !== null) return line.at;
  const { at } = line.fact;
  const ms = typeof at === 'string' ? Date.parse(at) : NaN;
  return Number.isNaN(ms) ? null : ms;
}

function notYet(line: HistoryLine, moment: Moment): Failure {
  const { seq } = line;
  const at = timeOf(line);
  const asked = moment.kind === 'commit' ? `commit ${moment.seq}` : isoTime(moment.ms);
  const first = at === null ? `commit ${seq ?? 0}` : isoTime(at);
  return new Failure('not_found', `history starts at ${first}, after ${asked}`, {
    fix: 'choose a later moment',
  });
}

function notReached(seq: number, last: number | null): Failure {
  const reached = last === null ? 'no commit has a number yet' : `the last commit with changes is ${last}`;
  return new Failure('not_found', `there is no commit ${seq} in the logs: ${reached}`, {
    fix: { kind: 'commit_numbers' },
  });
}
