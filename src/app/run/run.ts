import type { RunEvent, RunOptions, RunPorts, RunSummary, Service } from './events.ts';
import { FirstFailure } from './first-failure.ts';
import { StatusBoard } from './status/board.ts';
import { RunMetrics, type MeasuredRun } from './status/metrics.ts';
import { waitLimitMs, Waits } from './wait.ts';
import { Work } from './work.ts';

/**
 * Runs processors on one store, each with its own consumer group: changes and position go into one commit, after which
 * messages are sent and effects performed. Runs until a limit in `asked` is reached, its signal aborts, or a processor
 * fails, which ends all of them; the last event is `ended`, even before a failure.
 *
 * @throws Failure as the ports and `asked.onOwned`; group_in_use, group_marked, topic_missing, offsets_gone,
 *   topic_changed
 */
export async function runServices(
  ports: RunPorts,
  services: readonly Service[],
  asked: RunOptions,
): Promise<void> {
  const { access, clock } = ports;
  const startedAt = clock.elapsed();
  // Aborts when the caller's signal does, or when nothing can be stored or sent any more: everything stops.
  const stop = new AbortController();
  // Aborts with `stop`, or at the end of the run: no more records are read, but waiting messages are still sent.
  const end = new AbortController();
  stop.signal.addEventListener('abort', () => end.abort(), { once: true });
  const board = new StatusBoard(services, { names: asked.names, signal: end.signal }, clock);
  let metrics: RunMetrics | null = null;
  const on = (event: RunEvent): void => {
    board.take(event);
    metrics?.take(event);
    asked.on(event);
  };
  const failed = new FirstFailure(stop);
  const waits = new Waits({ clock, options: asked, on, stop });
  const storeIsAway = {};
  let awaySince = 0;
  const onAway = (failure: Error | null): void => {
    if (failure === null) {
      awaySince = 0;
      waits.end('store', storeIsAway);
      return;
    }
    awaySince ||= clock.elapsed();
    waits.begin('store', storeIsAway, clock.elapsed() - awaySince, failure.message);
  };
  let onOwed: () => void = () => undefined;
  await using store = await access.own({
    purpose: asked.purpose,
    via: 'consume',
    onNotice: (notice) => on({ kind: 'notice', notice }),
    onFailure: (failure) => failed.take(failure),
    ...(asked.onEdits === undefined ? {} : { onEdits: asked.onEdits }),
    onOwed: () => onOwed(),
    ...(ports.meter === undefined ? {} : { onSynced: (seconds) => metrics?.synced(seconds) }),
    status: () => board.status(),
    onStop: () => on({ kind: 'stop_asked' }),
    newId: asked.newId === true,
    onAway,
    awayLimitMs: waitLimitMs(asked),
    signal: stop.signal,
  });
  metrics = measure(ports, services, { status: () => board.status(), unsent: () => store.unsent() });
  await asked.onOwned?.(store);
  await asked.announceMissed?.(store);
  const options = { ...asked, on };
  const work = await Work.of(ports, services, { store, options, stop, end, failed, waits });
  onOwed = () => work.wake();
  board.attach(work.readings);
  const forwardAbort = (): void => stop.abort();
  asked.signal.addEventListener('abort', forwardAbort);
  if (asked.signal.aborted) stop.abort();
  let stoppedBy: RunSummary['stoppedBy'] = 'error';
  try {
    await work.run();
    stoppedBy = work.stoppedBy();
  } finally {
    asked.signal.removeEventListener('abort', forwardAbort);
    await work.close();
    const seconds = (clock.elapsed() - startedAt) / 1000;
    on({ kind: 'ended', run: { stoppedBy, seconds, services: work.readings.map((one) => one.summary()) } });
  }
}

function measure(
  { meter }: RunPorts,
  services: readonly Service[],
  run: Omit<MeasuredRun, 'destinations'>,
): RunMetrics | null {
  if (meter === undefined) return null;
  const destinations = services.flatMap(({ processor }) => processor.emits.map(({ name }) => name));
  return new RunMetrics(meter, { ...run, destinations });
}
