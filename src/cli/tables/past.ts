import type { Moment, Reached } from '../../app/history/moment.ts';
import type { Past } from '../../app/history/past-tables.ts';
import { systemClock } from '../../compose.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { StoreReader } from '../../ports/store.ts';
import { count } from '../output/text.ts';
import { momentOf } from '../parse.ts';
import type { Session } from '../session.ts';

export interface MomentFlags {
  readonly at?: string;
  readonly timeZone?: string;
}

/** The moment of `--at`; null: it is not given. @throws Failure invalid_value */
export function momentGiven({ at, timeZone }: MomentFlags): Moment | null {
  return at === undefined ? null : momentOf('--at', at, timeZone, systemClock.now());
}

/** The tables as of `--at`, after reporting the commit; null: it is not given. */
export async function pastOf(
  session: Session,
  reader: Pick<StoreReader, 'history'>,
  flags: MomentFlags,
): Promise<Past | null> {
  const moment = momentGiven(flags);
  if (moment === null) return null;
  const { readPast } = await import('../../app/history/past-tables.ts');
  const past = await readPast(reader, moment);
  printReached(session, past);
  return past;
}

/** Reports the commit as of which something is shown, and how certain the order of its lines is. */
export function printReached({ printer }: Session, { seq, at, unnumbered }: Readonly<Reached>): void {
  const commit = seq === null ? 'by the times of its lines' : `after commit ${seq}`;
  printer.info(`as it was ${commit}${at === null ? '' : `, at ${isoTime(at)}`}`);
  if (unnumbered === 0) return;
  const lines = count(unnumbered, 'line');
  printer.warn(
    `${lines} of an older version can only be ordered by time: changes in the same millisecond, or made while a clock was set back, may be in the wrong order`,
  );
}
