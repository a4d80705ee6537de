import { deadLetterPage } from '../../app/dlq/page.ts';
import { redriveDeadLetters } from '../../app/dlq/redrive.ts';
import type { RedriveEvent } from '../../app/dlq/redrive-events.ts';
import { scopeOfProcessor } from '../../app/dlq/scope.ts';
import { showDeadLetter } from '../../app/dlq/show.ts';
import { readingOfAll } from '../../app/offsets/reading.ts';
import type { CodecOf } from '../../app/run/events.ts';
import { openIds, openInspector, systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import { parseDeadLetterId } from '../../domain/topics/dead-letter-id.ts';
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

/** One that came back so often is left alone, as by "dlq redrive". */
const MAX_REDRIVES = 3;

/** @param stop of the server: what is being sent has a few seconds left then */
export function deadLettersOf(session: Session, ports: ViewPorts, stop: AbortSignal): Views['deadLetters'] {
  const { printer, resolved, settings } = session;
  const { access, broker, codecOf } = ports;
  const { group, topics: names } = settings;
  return {
    page: ({ processor, ...options }) =>
      deadLetterPage(
        { access, broker },
        { ...options, scope: scopeOfProcessor(processor, { group, names }), keep: deadLetterDocument },
      ),
    show: async (text) => {
      const id = parseDeadLetterId(text);
      const inspector = await openInspector(registryConnection(resolved));
      const scope = await scopeOf(session, {}, [id]);
      return shownDocument(
        await showDeadLetter({ access, broker, inspector, codecOf, names }, { scope, id }),
      );
    },
    redrive: async (text, value) => {
      const id = parseDeadLetterId(text);
      const newId = await openIds();
      const events: RedriveEvent[] = [];
      await redriveDeadLetters(
        { access, broker, codecOf, names, clock: systemClock, newReplayId: newId },
        {
          ...{ scope: await scopeOf(session, {}, [id]), readings: readingOfAll({ group, names }) },
          ...{ select: { ids: [id] }, value, max: null, toTopic: null, maxRedrives: MAX_REDRIVES },
          ...{ execute: true, via: 'http' as const, signal: stop },
          onNotice: (notice) => printNotice(printer, notice),
          on: async (event) => void events.push(event),
        },
      );
      return sentOf(text, events);
    },
  };
}

/** @throws Failure already_decided: it was left alone */
function sentOf(id: string, events: readonly RedriveEvent[]): RedrivenDeadLetter {
  for (const event of events) {
    const [step] = event.kind === 'sent' ? event.steps : [];
    if (step !== undefined) return stepDocument('sent', step);
    if (event.kind !== 'skipped') continue;
    const { message, fix } = event;
    throw new Failure('already_decided', `dead letter ${id} is left alone: ${message}`, {
      ...(fix === null ? {} : { fix }),
    });
  }
  throw new Error(`what became of dead letter ${id} was not reported`);
}
