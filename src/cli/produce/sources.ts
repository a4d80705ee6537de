import { seededRandom } from '../../app/send/produce.ts';
import { restocking } from '../../app/send/restock.ts';
import {
  delivery,
  sampleEvents,
  sendEvents,
  SOURCES,
  type SampleEventOptions,
  type SourceEvent,
  type SourceName,
} from '../../app/send/sources.ts';
import { keptView } from '../../app/intake/shared-reader.ts';
import type { Pace } from '../../app/send/pace.ts';
import { openIds, openStoreAdmin, systemClock } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { Item } from '../../domain/tables.ts';
import type { StoreAccess } from '../../ports/access.ts';
import { takeStopSignal } from '../exit.ts';
import { openForRun } from '../kafka/open.ts';
import { SourceReport } from '../output/send/source-events.ts';
import { choice, wholeNumber } from '../parse.ts';
import { readEvents, type EventFlags } from './event.ts';
import type { Session } from '../session.ts';
import { openStoreOf } from '../store.ts';

export interface SourceFlags extends EventFlags {
  readonly source: string;
  readonly faulty?: string;
  readonly seed: number | null;
  /** null: unlimited. */
  readonly count: number | null;
  readonly pace: Pick<Pace, 'delayMs' | 'perSecond'>;
  readonly create: boolean;
  readonly register: boolean;
}

const ALL = Object.keys(SOURCES) as readonly SourceName[];
/** What `produce --source` takes. */
export const EVENT_SOURCES = [...ALL, 'all'] as const;

/** `produce --source`: events of online shops, stores and suppliers. @throws Failure not_found: there are no items */
export async function produceEvents(session: Session, flags: SourceFlags): Promise<void> {
  const { settings, printer } = session;
  const chosen = choice('--source', flags.source, 'a source', EVENT_SOURCES);
  const faulty = flags.faulty === undefined ? 0 : wholeNumber('--faulty', flags.faulty, { min: 0, max: 100 });
  const sources = chosen === 'all' ? ALL : [chosen];
  const signal = takeStopSignal(printer);
  const access = await openStoreOf(session);
  const items = await (async () => {
    await using reader = await access.read();
    return [...(await reader.items())];
  })();
  if (items.length === 0) {
    throw new Failure('not_found', `there are no items in ${access.name}`, {
      fix: { kind: 'add_first', table: 'items' },
    });
  }
  const { seed } = flags;
  const rows = sources.includes('supplier')
    ? await (await openStoreAdmin(settings)).lists.rows('suppliers')
    : [];
  const suppliers = rows.map((row) => row.supplier_id ?? '');
  const newId = await openIds(seed === null ? undefined : seededRandom(seed ^ 0x5eed));
  const random = seed === null ? Math.random : seededRandom(seed);
  const now = (): number => systemClock.now();
  const given = readEvents(flags, chosen, items, newId);
  const count = given?.length ?? flags.count;
  const samples = { sources, suppliers, count, faulty, random, newId, now };
  const events = given ?? sampleEvents(items, samples);
  const isWithoutEnd = count === null && seed === null;
  const sent =
    isWithoutEnd && sources.includes('supplier')
      ? await withDeliveries(session, access, { events, items, samples })
      : events;
  const kafka = await openForRun(session, { register: flags.register });
  const report = new SourceReport(session);
  await sendEvents(kafka, {
    sources,
    events: sent,
    count,
    signal,
    names: settings.topics,
    create: flags.create,
    clock: systemClock,
    ...flags.pace,
    again: given === null && seed !== null ? 'seed' : 'event_id',
    on: (event) => report.take(event),
  });
}

/** Adds deliveries of items that become low, so that an endless run does not sell out. */
async function withDeliveries(
  { settings }: Session,
  access: StoreAccess,
  made: {
    readonly events: Iterable<SourceEvent>;
    readonly items: readonly Item[];
    readonly samples: SampleEventOptions;
  },
): Promise<AsyncIterable<SourceEvent>> {
  const { events, items, samples } = made;
  const view = await keptView(access);
  return restocking(events, {
    first: items,
    lowStock: Number(settings.lowStock),
    clock: systemClock,
    read: () => view.lookAtRows(async (reader) => [...(await reader.items())]),
    deliver: (item, quantity) => delivery(item, quantity, samples),
  });
}
