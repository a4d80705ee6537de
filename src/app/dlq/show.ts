import type { LoggedEdit } from '../../domain/edit.ts';
import { isFailure, type Failure } from '../../domain/failure.ts';
import type { DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import type { Broker } from '../../ports/broker.ts';
import type { Inspection, ValueInspector } from '../../ports/inspector.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreReader } from '../../ports/store.ts';
import { DeadLetters, type DeadLetter, type DeadLetterScope } from './dead-letters.ts';
import { readAgain, type ReadAgain, type ReadingAgain } from './read-again.ts';

export interface ShownDeadLetter {
  readonly deadLetter: DeadLetter;
  /** The last action on it, its author and reason; null: none. */
  readonly mark: Extract<LoggedEdit, { kind: 'dead_letter' }> | null;
  /** null: the registry did not answer or refused access, see `problem`. */
  readonly inspection: Inspection | null;
  /** The result if it were consumed now. */
  readonly now: ReadAgain | null;
  readonly problem: Failure | null;
}

export interface ShowDeadLetterPorts extends Omit<ReadingAgain, 'reader'> {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly inspector: ValueInspector;
}

/** Reads one dead letter with all details. @throws Failure topic_missing, not_found */
export async function showDeadLetter(
  { access, broker, inspector, ...reading }: ShowDeadLetterPorts,
  { scope, id }: { scope: DeadLetterScope; id: DeadLetterId },
): Promise<ShownDeadLetter> {
  await using admin = await broker.admin();
  await using reader = await access.read();
  const deadLetters = await DeadLetters.open({ admin, reader, scope });
  for await (const [deadLetter] of deadLetters.some([id])) {
    if (deadLetter === undefined) continue;
    const mark = deadLetter.state === 'open' ? null : await lastMark(reader, deadLetter);
    try {
      const inspection = await inspector.inspect(deadLetter);
      const [now] = await readAgain({ ...reading, reader }, [deadLetter]);
      return { deadLetter, mark, inspection, now: now ?? null, problem: null };
    } catch (error) {
      if (!isFailure(error, 'registry_unreachable', 'registry_refused')) throw error;
      return { deadLetter, mark, inspection: null, now: null, problem: error };
    }
  }
  throw new Error('a missing dead letter was not reported');
}

async function lastMark(
  reader: StoreReader,
  { topic, mark: { key } }: DeadLetter,
): Promise<ShownDeadLetter['mark']> {
  let last: ShownDeadLetter['mark'] = null;
  for await (const edits of reader.edits()) {
    for (const edit of edits) {
      if (edit.kind !== 'dead_letter' || edit.topic !== topic) continue;
      if (edit.letters.some((deadLetter) => deadLetter.key === key)) last = edit;
    }
  }
  return last;
}
