import type { ProcessorTopics } from '../../../app/offsets/group-positions.ts';
import { resetOffsets, type ResetOptions } from '../../../app/offsets/reset.ts';
import { systemClock } from '../../../compose.ts';
import { printReset, printResetEvent } from '../../output/positions/offsets.ts';
import type { Session } from '../../session.ts';
import { openPorts } from './ports.ts';

export async function runReset(
  session: Session,
  { processor, group }: Omit<ProcessorTopics, 'topics'>,
  { reset, to, execute }: Pick<ResetOptions, 'reset' | 'execute'> & { to: string },
): Promise<void> {
  const result = await resetOffsets(
    { ...(await openPorts(session)), clock: systemClock },
    { processor, group, reset, execute, on: (event) => printResetEvent(session.printer, event) },
  );
  await printReset(session, result, to);
}
