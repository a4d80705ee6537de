import type { RunSummary } from '../../../app/run/events.ts';

const STOPPED_BY: Readonly<Record<RunSummary['stoppedBy'], string>> = {
  end: 'stopped at the end',
  signal: 'stopped by a signal',
  max_messages: 'stopped at --max-messages',
  error: 'stopped by an error',
};

/** @param isStopAsked whether `orderctl stop` requested the stop, which ends a run as a signal does */
export function stoppedInWords(stoppedBy: RunSummary['stoppedBy'], isStopAsked: boolean): string {
  return isStopAsked && stoppedBy === 'signal'
    ? 'stopped, as requested by orderctl stop,'
    : STOPPED_BY[stoppedBy];
}
