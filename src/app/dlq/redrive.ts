import { byTopic } from '../../domain/topics/by-topic.ts';
import type { Advice } from '../../domain/advice.ts';
import { formatDeadLetterId } from '../../domain/topics/dead-letter-id.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Broker, BrokerAdmin, Producer, SentRecord } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { Claim } from '../../ports/owner.ts';
import { unlessStopped } from '../run/wait.ts';
import { Destinations, type Planned } from './destinations.ts';
import { MARK_AT_ONCE } from './discard.ts';
import { redriveHeaders } from './headers.ts';
import { DeadLetters, type DeadLetter } from './dead-letters.ts';
import { matchesDeadLetter, type DeadLetterFilter } from './filter.ts';
import { readAgain, type ReadAgain, type ReadingAgain } from './read-again.ts';
import { inDoubt } from './in-doubt.ts';
import { onlyGroupFor } from './scope.ts';
import type { RedriveOptions, RedriveSummary, SkipReason } from './redrive-events.ts';

export interface RedrivePorts extends Omit<ReadingAgain, 'reader'> {
  readonly access: StoreAccess;
  readonly broker: Broker;
  readonly clock: Clock;
  readonly newReplayId: () => string;
}

/**
 * Sends dead letters back to their original topics, unchanged except for a corrected value, and marks them after each
 * send, so that a second run continues from there. After a kill, at most 1,000 are sent twice, which is harmless
 * because of their order ids. The last event is always the summary.
 *
 * @throws Failure topic_missing, not_found (nothing is sent), invalid_input (a corrected value that would fail too),
 *   folder_in_use, interrupted, and as the ports
 */
export async function redriveDeadLetters(ports: RedrivePorts, options: RedriveOptions): Promise<void> {
  // Claimed before the marks are read; otherwise those of another redrive would be missing.
  await using claim = options.execute ? await ports.access.claim('redrive') : null;
  await redriveAlone({ ...ports, claim }, options);
}

async function redriveAlone(ports: Claimed, options: RedriveOptions): Promise<void> {
  const { access, broker } = ports;
  const { scope, execute, signal, toTopic } = options;
  await using admin = await broker.admin();
  await using reader = await access.read();
  if (toTopic !== null && (await admin.partitionCount(toTopic)) === undefined) {
    throw new Failure('topic_missing', `topic ${toTopic} does not exist`, {
      fix: { kind: 'make_to_topic' },
      context: { topic: toTopic },
    });
  }
  const deadLetters = await DeadLetters.open({ admin, reader, scope, signal });
  const run = new Redrive({ ...ports, reader }, options, admin, deadLetters);
  let finished = false;
  try {
    // All must exist before the first is sent.
    if ('ids' in options.select) await deadLetters.check(options.select.ids);
    await run.all();
    finished = !signal.aborted;
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  } finally {
    await run.close();
    await options.on({ kind: 'summary', summary: run.summary(!finished && signal.aborted) });
  }
  if (!finished) {
    throw new Failure('interrupted', `interrupted after ${run.sent} dead letters`, {
      fix: execute
        ? 'to continue, run the same command again: dead letters that were sent are marked and not sent again'
        : 'run the same command again',
    });
  }
}

type Claimed = RedrivePorts & { readonly claim: Claim | null };
type Ports = Claimed & ReadingAgain;

class Redrive {
  readonly #ports: Ports;
  readonly #options: RedriveOptions;
  readonly #destinations: Destinations;
  readonly #deadLetters: DeadLetters;
  readonly #replayId: string;
  readonly #startedAt: number;
  readonly #skipped = new Map<SkipReason, number>();
  readonly #byTopic = new Map<string, number>();
  #producer: Producer | undefined;
  #selected = 0;
  #unknown = 0;
  #failed = 0;
  #failsAgain = 0;
  /** Why it is unknown for some whether they would fail again. */
  #unread: Failure | null = null;
  sent = 0;

  constructor(ports: Ports, options: RedriveOptions, admin: BrokerAdmin, deadLetters: DeadLetters) {
    this.#ports = ports;
    this.#options = options;
    this.#destinations = new Destinations(admin, options);
    this.#deadLetters = deadLetters;
    this.#replayId = ports.newReplayId();
    this.#startedAt = ports.clock.elapsed();
  }

  async all(): Promise<void> {
    const { select, signal } = this.#options;
    const chunks = 'ids' in select ? this.#deadLetters.some(select.ids) : this.#deadLetters.all();
    for await (const chunk of chunks) {
      const selected =
        'ids' in select ? chunk : chunk.filter((deadLetter) => this.#isSelected(deadLetter, select.filter));
      for (let from = 0; from < selected.length; from += MARK_AT_ONCE) {
        if (this.#room() === 0 || signal.aborted) return;
        await this.#step(selected.slice(from, from + MARK_AT_ONCE));
      }
    }
  }

  /** A filter selects only open dead letters. */
  #isSelected(deadLetter: DeadLetter, filter: DeadLetterFilter): boolean {
    return this.#deadLetters.stateOf(deadLetter) === 'open' && matchesDeadLetter(deadLetter, filter);
  }

  #room(): number {
    return (this.#options.max ?? Infinity) - this.sent;
  }

  async #step(deadLetters: readonly DeadLetter[]): Promise<void> {
    const plans: Planned[] = [];
    for (const deadLetter of deadLetters) {
      if (plans.length >= this.#room()) break;
      this.#selected += 1;
      const plan = await this.#plan(deadLetter);
      if ('reason' in plan) await this.#skip(deadLetter, plan.reason, plan.message, plan.fix);
      else plans.push(plan);
    }
    for (const [topic, group] of byTopic(plans)) {
      if (this.#options.execute) await this.#send(topic, group);
      else await this.#wouldSend(topic, group);
    }
  }

  async #plan(
    deadLetter: DeadLetter,
  ): Promise<Planned | { reason: SkipReason; message: string; fix: Advice | null }> {
    const state = this.#deadLetters.stateOf(deadLetter);
    if (state !== 'open') return { reason: state, message: `it was already ${state}`, fix: null };
    return this.#destinations.of(deadLetter);
  }

  async #wouldSend(topic: string, group: readonly Planned[]): Promise<void> {
    const reading = this.#readAgain(group.map(({ deadLetter }) => deadLetter));
    const read = await unlessStopped(reading, this.#options.signal);
    if (read === undefined) return;
    this.#failsAgain += read.filter((one) => one?.kind === 'dead_letter').length;
    await this.#report(
      'would_send',
      topic,
      group.map(({ deadLetter }, i) => ({ deadLetter, place: null, now: read[i] ?? null })),
    );
  }

  /** @returns an empty array once the registry has failed: each further batch would wait for it again */
  async #readAgain(deadLetters: readonly DeadLetter[]): Promise<readonly (ReadAgain | null)[]> {
    if (this.#unread !== null) return [];
    try {
      return await readAgain(this.#ports, deadLetters);
    } catch (error) {
      if (!isFailure(error, 'registry_unreachable', 'registry_refused')) throw error;
      this.#unread = error;
      return [];
    }
  }

  async #send(topic: string, group: readonly Planned[]): Promise<void> {
    const { broker, clock, claim } = this.#ports;
    const { readings } = this.#options;
    await claim?.check();
    this.#producer ??= await broker.producer();
    await this.#checkCorrected(group);
    const replay = { id: this.#replayId, at: clock.now() };
    const records = group.map(({ deadLetter }) => ({
      key: deadLetter.key,
      value: deadLetter.value,
      headers: redriveHeaders(deadLetter.headers, deadLetter.origin, {
        ...replay,
        group: onlyGroupFor(deadLetter, readings),
      }),
    }));
    const { outcomes, failure } = await this.#producer.send(topic, records, { signal: this.#options.signal });
    const delivered: { deadLetter: DeadLetter; place: SentRecord }[] = [];
    const left: { deadLetter: DeadLetter; isUnknown: boolean }[] = [];
    for (const [i, { deadLetter }] of group.entries()) {
      const outcome = outcomes[i];
      if (typeof outcome === 'object') delivered.push({ deadLetter, place: outcome });
      else if (outcome === 'too_large') {
        await this.#skip(deadLetter, 'too_large', `it is larger than topic ${topic} allows; it stays open`);
      } else if (outcome === 'refused') {
        await this.#skip(deadLetter, 'refused', `topic ${topic} refused it; it stays open`);
      } else left.push({ deadLetter, isUnknown: outcome === 'unknown' });
    }
    if (delivered.length > 0) await this.#mark(topic, delivered);
    if (failure !== null) throw await this.#leave(topic, left, failure);
  }

  /** @throws Failure invalid_input: the corrected value would be a dead letter too */
  async #checkCorrected(group: readonly Planned[]): Promise<void> {
    if (this.#options.value === null) return;
    const [now] = await this.#readAgain(group.map(({ deadLetter }) => deadLetter));
    if (now?.kind !== 'dead_letter') return;
    throw new Failure('invalid_input', `the corrected value would fail too: ${now.code}, ${now.message}`, {
      fix: 'correct it and run the same command again: nothing was sent',
    });
  }

  /** Dead letters that were sent are marked before they are reported, even when others were not sent. */
  async #mark(topic: string, sent: readonly { deadLetter: DeadLetter; place: SentRecord }[]): Promise<void> {
    const { access } = this.#ports;
    const { value, via, onNotice } = this.#options;
    const why = `replay ${this.#replayId} to ${topic}${value === null ? '' : ', with a corrected value'}`;
    for (const [from, letters] of byTopic(sent.map(({ deadLetter }) => deadLetter))) {
      await access.edit(
        {
          kind: 'dead_letter.mark',
          topic: from,
          action: 'redriven',
          why,
          letters: letters.map(({ mark }) => mark),
        },
        { via, onNotice },
      );
    }
    const steps = sent.map((one) => ({ ...one, now: null }));
    await this.#report('sent', topic, steps);
  }

  async #report(
    kind: 'would_send' | 'sent',
    topic: string,
    deadLetters: readonly { deadLetter: DeadLetter; place: SentRecord | null; now: ReadAgain | null }[],
  ): Promise<void> {
    this.sent += deadLetters.length;
    // In a dry run too, since a later copy would not be sent again.
    this.#deadLetters.marked(
      deadLetters.map(({ deadLetter }) => deadLetter),
      'redriven',
    );
    this.#byTopic.set(topic, (this.#byTopic.get(topic) ?? 0) + deadLetters.length);
    const steps = deadLetters.map(({ deadLetter, place, now }) => ({
      id: formatDeadLetterId(deadLetter.id),
      errorCode: deadLetter.origin.errorCode,
      topic,
      place,
      now,
    }));
    await this.#options.on({ kind, steps });
  }

  /** Dead letters that may have been sent stay open: sending them again is harmless because of their order ids. */
  async #leave(
    topic: string,
    left: readonly { deadLetter: DeadLetter; isUnknown: boolean }[],
    failure: Error,
  ): Promise<Error> {
    const unknown = left
      .filter(({ isUnknown }) => isUnknown)
      .map(({ deadLetter }) => formatDeadLetterId(deadLetter.id));
    this.#unknown += unknown.length;
    this.#failed += left.length - unknown.length;
    if (unknown.length > 0) await this.#options.on({ kind: 'unknown', ids: unknown, topic });
    return isFailure(failure) ? inDoubt(failure, unknown) : failure;
  }

  async #skip(deadLetter: DeadLetter, reason: SkipReason, message: string, fix: Advice | null = null) {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + 1);
    await this.#options.on({ kind: 'skipped', id: formatDeadLetterId(deadLetter.id), reason, message, fix });
  }

  async close(): Promise<void> {
    await this.#producer?.[Symbol.asyncDispose]();
  }

  summary(interrupted: boolean): RedriveSummary {
    return {
      scope: this.#options.scope,
      replayId: this.#replayId,
      dryRun: !this.#options.execute,
      selected: this.#selected,
      sent: this.sent,
      byTopic: this.#byTopic,
      skipped: this.#skipped,
      failed: this.#failed,
      unknown: this.#unknown,
      failsAgain: this.#failsAgain,
      unread: this.#unread,
      interrupted,
      seconds: (this.#ports.clock.elapsed() - this.#startedAt) / 1000,
    };
  }
}
