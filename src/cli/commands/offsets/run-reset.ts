import type { ResetRequest } from '../../../app/offsets/plan.ts';
import { resetOffsets } from '../../../app/offsets/reset.ts';
import { systemClock } from '../../../compose.ts';
import { printReset, printResetEvent } from '../../output/positions/offsets.ts';
import type { Session } from '../../session.ts';
import { openPorts } from './ports.ts';

export async function runReset(
  session: Session,
  { reset, to, execute }: { reset: ResetRequest | 'undo'; to: string; execute: boolean },
): Promise<void> {
  const { topic, group } = session.settings;
  const result = await resetOffsets(
    { ...(await openPorts(session)), clock: systemClock },
    { topic, group, reset, execute, on: (event) => printResetEvent(session.printer, event) },
  );
  await printReset(session, result, to);
}
