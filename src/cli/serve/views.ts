import type { Alert as AlertMessage } from '../../app/alerts/page.ts';
import { alertPage } from '../../app/alerts/page.ts';
import type { SalesBoardReader } from '../../app/analytics/board.ts';
import { SharedRead, SharedReads, type Dated } from '../../app/shared-read.ts';
import { seeProcessors, type SeenProcessor } from '../../app/status/processors.ts';
import { systemClock } from '../../compose.ts';
import type { ProcessorList } from '../../documents/http/processors.ts';
import { alertDocument } from '../../documents/write/live.ts';
import { processorDocument } from '../../documents/write/status.ts';
import { Failure } from '../../domain/failure.ts';
import { isoTime, isoTimeOrNull } from '../../domain/iso-time.ts';
import { ALERT } from '../../domain/messages/shop/alert.ts';
import { topicOf } from '../../domain/messages/topic-names.ts';
import type { DailyReport } from '../../documents/reports/daily.ts';
import type { Views } from '../../http/shop.ts';
import type { Codec } from '../../ports/codec.ts';
import type { KeptView } from '../../ports/access.ts';
import { auditDocument } from '../output/audit.ts';
import { dayOf } from '../parse.ts';
import { printNotice } from '../output/store-notices.ts';
import type { Session } from '../session.ts';
import { explainIn } from './explain.ts';
import { messagesOf } from './messages.ts';
import { deadLettersOf, type ViewPorts } from './dead-letters.ts';

/** The views of the server besides orders and tables; the same as the commands show. @param stop ends an audit */
export function viewsOf(
  session: Session,
  ports: ViewPorts & { readonly view: KeptView },
  stop: AbortSignal,
): Views {
  const { printer, settings } = session;
  const { access, broker, codecOf } = ports;
  const { group, topics: names } = settings;
  const audits = new SharedRead(
    'audit',
    async (signal) => {
      const { audit } = await import('../../app/audit/audit.ts');
      const onNotice = (notice: Parameters<typeof printNotice>[1]): void => printNotice(printer, notice);
      return audit(access, { topic: null, repair: false, onNotice, signal });
    },
    systemClock,
  );
  let board: SalesBoardReader | null = null;
  const sales = new SharedRead(
    'analytics show',
    async (signal) => {
      const { SalesBoardReader } = await import('../../app/analytics/board.ts');
      board ??= new SalesBoardReader(ports);
      return await board.read(systemClock.now(), signal);
    },
    systemClock,
  );
  const reportRead = reportsOf(session, access);
  const shared = async <T>(read: SharedRead<T>, signal: AbortSignal): Promise<Dated<T>> => {
    try {
      return await read.result(AbortSignal.any([signal, stop]));
    } catch (error) {
      throw stop.aborted ? new Failure('interrupted', 'the server is stopping') : error;
    }
  };
  return {
    deadLetters: deadLettersOf(session, ports, stop),
    ...messagesOf(session, ports),
    explain: explainIn(session, ports.view),
    alerts: async (options) => {
      const codec = (await codecOf(ALERT)) as Codec<AlertMessage>;
      const page = await alertPage({ broker, codec, topic: topicOf(ALERT, names) }, options);
      return { alerts: page.alerts.map(alertDocument), next: page.next };
    },
    processors: async () => {
      const { consumer, processors, problem } = await seeProcessors({ access, broker }, { group, names });
      const state = consumer?.status.state ?? 'stopped';
      return {
        at: isoTime(systemClock.now()),
        consumer:
          consumer === null
            ? null
            : {
                pid: consumer.pid,
                started_at: isoTime(consumer.startedAt),
                waiting_for: consumer.status.waitingFor,
              },
        processors: processors.map((one) => processorEntry(one, state)),
        problem: problem?.message ?? null,
      };
    },
    sales: (signal) => shared(sales, signal),
    report: async (date, timeZone, signal) => await shared(reportRead(date, timeZone), signal),
    audit: async (signal) => {
      const { result, at } = await shared(audits, signal);
      return { checked_at: isoTime(at), ...auditDocument(result) };
    },
  };
}

/** The report of a day; concurrent requests share one read. */
function reportsOf({ settings }: Session, access: ViewPorts['access']) {
  const reports = new SharedReads<DailyReport>('report show', systemClock);
  const lowStock = Number(settings.lowStock);
  return (date: string, timeZone: string | null): SharedRead<DailyReport> => {
    const day = dayOf('date', date, { timeZone: timeZone ?? undefined, now: systemClock.now() });
    return reports.of(`${day.date} ${day.timeZone}`, async (signal) => {
      const { reportOf } = await import('../commands/report/day.ts');
      return await reportOf(access, day, { now: systemClock.now(), lowStock, signal });
    });
  };
}

type Entry = ProcessorList['processors'][number];

function processorEntry(seen: SeenProcessor, state: Entry['state']): Entry {
  const { processor, group, topics, running, lag, effects } = seen;
  const status = running === null ? null : processorDocument(running);
  const { owed, trying, parked, nextDueAt } = effects;
  return {
    processor,
    group,
    topics,
    state: status === null ? 'stopped' : state,
    lag,
    partitions: status?.partitions ?? null,
    records_per_second: status?.records_per_second ?? null,
    last_commit_at: status?.last_commit_at ?? null,
    read: status?.read ?? null,
    dead_lettered: status?.dead_lettered ?? null,
    outcomes: status?.outcomes ?? null,
    effects: { owed, trying, parked, next_due_at: isoTimeOrNull(nextDueAt) },
  };
}
