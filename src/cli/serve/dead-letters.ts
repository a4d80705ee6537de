import type { DeadLetterScope } from '../../app/dlq/dead-letters.ts';
import { deadLetterPage } from '../../app/dlq/page.ts';
import { redriveDeadLetters } from '../../app/dlq/redrive.ts';
import type { RedriveEvent } from '../../app/dlq/redrive-events.ts';
import { scopeOfProcessor } from '../../app/dlq/scope.ts';
import { showDeadLetter } from '../../app/dlq/show.ts';
import { readingOfAll } from '../../app/offsets/reading.ts';
import type { CodecOf } from '../../app/run/events.ts';
import { openIds, openInspector, systemClock } from '../../compose.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import { parseDeadLetterId, type DeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import type { RedrivenDeadLetter } from '../../documents/dead-letter.ts';
import type { Views } from '../../http/shop.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Broker } from '../../ports/broker.ts';
import { registryConnection } from '../kafka/connection.ts';
import { scopeOf } from '../commands/dlq/scope.ts';
import { deadLetterDocument, stepDocument } from '../output/dead-letters/list.ts';
import { shownDocument } from '../output/dead-letters/show.ts';
import { printNotice } from '../output/store-notices.ts';
import type { Session } from '../session.ts';

export interface ViewPorts {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly codecOf: CodecOf;
}

/** A dead letter that was redriven this often is left alone, as by "dlq redrive". */
const MAX_REDRIVES = 3;

/** @param stop aborts when the server stops; messages being sent then have a few seconds left */
export function deadLettersOf(session: Session, ports: ViewPorts, stop: AbortSignal): Views['deadLetters'] {
  const { printer, resolved, settings } = session;
  const { access, broker, codecOf } = ports;
  const { group, topics: names, dlqTopic } = settings;
  /** Normalizes the id, which a client may spell in several ways. */
  const selected = async (text: string): Promise<{ id: DeadLetterId; scope: DeadLetterScope }> => {
    const parsed = parseDeadLetterId(text);
    const id = parsed.kind === 'record' ? { ...parsed, topic: parsed.topic ?? dlqTopic } : parsed;
    return { id, scope: { ...(await scopeOf(session, {}, [id])), isNamed: true } };
  };
  return {
    page: ({ processor, ...options }) =>
      deadLetterPage(
        { access, broker },
        {
          ...options,
          keep: deadLetterDocument,
          scope: { ...scopeOfProcessor(processor, { group, names }), isNamed: true },
        },
      ),
    show: noTopicIsNone(async (text) => {
      const { id, scope } = await selected(text);
      const inspector = await openInspector(registryConnection(resolved));
      return shownDocument(
        await showDeadLetter({ access, broker, inspector, codecOf, names }, { scope, id }),
      );
    }),
    redrive: noTopicIsNone(async (text, value, isDryRun) => {
      const { id, scope } = await selected(text);
      const newId = await openIds();
      const redrive = async (execute: boolean): Promise<RedrivenDeadLetter> => {
        const events: RedriveEvent[] = [];
        await redriveDeadLetters(
          { access, broker, codecOf, names, clock: systemClock, newReplayId: newId },
          {
            scope,
            readings: readingOfAll({ group, names }),
            select: { ids: [id] },
            value,
            max: null,
            toTopic: null,
            maxRedrives: MAX_REDRIVES,
            execute,
            via: 'http' as const,
            signal: stop,
            onNotice: (notice) => printNotice(printer, notice),
            on: async (event) => void events.push(event),
          },
        );
        return stepOf(text, events);
      };
      // Like the command without --execute: checks whether it would fail again.
      const dry = await redrive(false);
      return isDryRun ? dry : { ...(await redrive(true)), now: dry.now };
    }),
  };
}

/** Treats a dead-letter topic that does not exist as empty. */
function noTopicIsNone<Rest extends readonly unknown[], T>(
  look: (id: string, ...rest: Rest) => Promise<T>,
): (id: string, ...rest: Rest) => Promise<T> {
  return async (id, ...rest) => {
    try {
      return await look(id, ...rest);
    } catch (error) {
      if (!isFailure(error, 'topic_missing')) throw error;
      throw new Failure('not_found', `there is no dead letter ${id}: ${error.message}`);
    }
  };
}

/** @throws Failure already_decided: the dead letter was left alone */
function stepOf(id: string, events: readonly RedriveEvent[]): RedrivenDeadLetter {
  for (const event of events) {
    if (event.kind === 'sent' || event.kind === 'would_send') {
      const [step] = event.steps;
      if (step !== undefined) return stepDocument(event.kind, step);
    }
    if (event.kind !== 'skipped') continue;
    const { message, fix } = event;
    throw new Failure('already_decided', `dead letter ${id} is left alone: ${message}`, {
      fix: fix ?? 'see those that are open: GET /dead-letters?state=open',
    });
  }
  throw new Error(`the outcome of dead letter ${id} was not reported`);
}
