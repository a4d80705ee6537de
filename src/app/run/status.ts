import type { Clock } from '../../ports/clock.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { BrokenFile, ConsumerStatus } from '../../ports/owner.ts';
import type { RunEvent } from './events.ts';

/** The rate is an average over so many whole seconds. */
const RATE_SECONDS = 10;

type Counts = ConsumerStatus['counts'];

const NOTHING: Counts = { read: 0, accepted: 0, rejected: 0, duplicates: 0, conflicts: 0, deadLettered: 0 };

export interface StatusSources {
  readonly counts: () => Counts;
  /** Records behind the end. */
  readonly lag: () => number;
}

/** The status of a consumer, kept from the events that it reports anyway: it costs nothing while nobody asks. */
export class StatusBoard {
  readonly #options: { readonly topic: string; readonly group: string; readonly signal: AbortSignal };
  readonly #clock: Clock;
  readonly #startedAt: number;
  readonly #waiting = new Set<'broker' | 'registry'>();
  /** Records read by second, the last few seconds only. */
  readonly #bySecond: { readonly second: number; records: number }[] = [];
  readonly #brokenFiles = new Map<string, BrokenFile>();
  #sources: StatusSources | undefined;
  #isReading = false;
  #isSilent = false;
  #lastCommitAt: number | null = null;

  /** @param options its signal aborts when the consumer is to stop */
  constructor(options: { topic: string; group: string; signal: AbortSignal }, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
    this.#startedAt = clock.now();
  }

  /** Where to get the numbers, once there are some. */
  attach(sources: StatusSources): void {
    this.#sources = sources;
  }

  take(event: RunEvent<unknown, unknown>): void {
    if (event.kind === 'started') this.#isReading = true;
    else if (event.kind === 'waiting') this.#waiting.add(event.for);
    else if (event.kind === 'resumed') this.#waiting.delete(event.for);
    else if (event.kind === 'silent') this.#isSilent = true;
    else if (event.kind === 'answered') this.#isSilent = false;
    else if (event.kind === 'notice') this.#takeNotice(event.notice);
    else if (event.kind === 'batch') {
      this.#lastCommitAt = this.#clock.now();
      this.#add(event.results.length, this.#lastCommitAt);
    }
  }

  status(): ConsumerStatus {
    const { topic, group } = this.#options;
    const [first = null] = this.#waiting;
    // A broker that does not answer holds up everything else.
    const waitingFor = this.#isSilent ? 'broker' : first;
    const { read, accepted, rejected, duplicates, conflicts, deadLettered } =
      this.#sources?.counts() ?? NOTHING;
    return {
      state: this.#state(waitingFor !== null),
      waitingFor,
      topic,
      group,
      ordersPerSecond: this.#rate(this.#clock.now()),
      // What was sent meanwhile is not known.
      lag: waitingFor === 'broker' ? null : (this.#sources?.lag() ?? null),
      lastCommitAt: this.#lastCommitAt,
      counts: { read, accepted, rejected, duplicates, conflicts, deadLettered },
      brokenFiles: [...this.#brokenFiles.values()],
    };
  }

  #takeNotice(notice: StoreNotice): void {
    if (notice.kind === 'file_mended') this.#brokenFiles.delete(notice.file);
    if (notice.kind !== 'file_broken') return;
    const { file, line, message } = notice;
    this.#brokenFiles.set(file, { file, line, message });
  }

  #state(isWaiting: boolean): ConsumerStatus['state'] {
    if (this.#options.signal.aborted) return 'stopping';
    if (isWaiting) return 'waiting';
    return this.#isReading ? 'consuming' : 'starting';
  }

  #add(records: number, now: number): void {
    const second = Math.floor(now / 1000);
    const last = this.#bySecond.at(-1);
    if (last?.second === second) last.records += records;
    else this.#bySecond.push({ second, records });
    if (this.#bySecond.length > RATE_SECONDS + 1) this.#bySecond.shift();
  }

  /** To one decimal: over the last whole seconds and the one that is running, but not over time before the start. */
  #rate(now: number): number {
    const first = Math.floor(now / 1000) - RATE_SECONDS;
    let records = 0;
    for (const entry of this.#bySecond) if (entry.second >= first) records += entry.records;
    const seconds = (now - Math.max(first * 1000, this.#startedAt)) / 1000;
    // Divided by a few milliseconds, a single order would be a thousand a second.
    return Math.round((records / Math.max(seconds, 1)) * 10) / 10;
  }
}
