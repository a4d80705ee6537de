import { answersAgain, serviceName } from '../awaited.ts';
import type { EffectsEvent, OrdersEvent, RunEvent } from '../../../app/run/events.ts';
import { wayOut } from '../../hints.ts';
import type { Session } from '../../session.ts';
import type { Printer } from '../printer.ts';
import { aheadLine, printGroupEvent } from '../positions/group-events.ts';
import { moveLines } from '../positions/moved.ts';
import { count, duration } from '../text.ts';

/** Events of a run that are reported, whichever processors it runs. */
export type SaidOfRun =
  | Exclude<RunEvent, { kind: 'started' | 'committed' | 'effect_settled' | 'ended' }>
  | Extract<OrdersEvent, { kind: 'empty_table' }>;

export function printRunEvent(
  session: Session,
  event: SaidOfRun | { readonly kind: 'effect_settled' },
): void {
  const { printer } = session;
  switch (event.kind) {
    case 'topic_created':
      printer.info(`created topic ${event.topic} with ${count(event.partitions, 'partition')}`);
      break;
    case 'notice':
    case 'topic_is_new':
    case 'ghost_removed':
    case 'copy_suspected':
      printGroupEvent(printer, event);
      break;
    case 'group_ahead':
      printer.warn(aheadLine(event.topic, event.group, event.ahead));
      break;
    case 'empty_table':
      printer.warn(
        `there are no ${event.table} in ${event.store}: every order will be rejected, and a decision is final`,
      );
      break;
    case 'moved':
      printer.messages(moveLines(event.topic, event.move));
      break;
    case 'undelivered':
      printer.warn(
        `${event.topic} refuses ${event.id}, which is too large, or the topic is compacted (see: orderctl topics show): kept in .orderctl/undelivered/ of the storage folder`,
      );
      break;
    case 'topic_gone': {
      const { message, fix } = event.failure;
      printer.warn(`${message}; everything else continues${fix === null ? '' : ` (${wayOut(fix)})`}`);
      break;
    }
    case 'unsent':
      printer.warn(unsentLine(session, event));
      break;
    case 'waiting': {
      const soFar = event.forMs < 1_000 ? '' : ` for ${duration(event.forMs)}`;
      printer.warn(`no answer from the ${serviceName(event.for)}${soFar}, waiting: ${event.message}`);
      break;
    }
    case 'resumed':
      printer.info(answersAgain(event.for));
      break;
    case 'silent':
    case 'answered':
    case 'effect_settled':
      // The status shows it; a message follows only if it lasts.
      break;
    case 'effects_failing':
    case 'effects_resumed':
    case 'effect_parked':
      printEffectsEvent(printer, event);
      break;
    case 'held_back':
      printer.warn(heldBackLine(event));
      break;
    case 'commit_failed':
      printer.warn(
        `the group's offsets could not be committed: ${event.message}; the stored position counts, and the next commit includes it`,
      );
      break;
    case 'stop_asked':
      printer.info('stopping, as requested by orderctl stop');
      break;
  }
}

function printEffectsEvent(
  printer: Printer,
  event: EffectsEvent | Extract<RunEvent, { kind: 'effect_parked' }>,
): void {
  const { processor } = event;
  switch (event.kind) {
    case 'effects_failing':
      printer.warn(failingLine(event));
      break;
    case 'effects_resumed':
      printer.info(`${processor}: the outside answers ${event.effect} requests again`);
      break;
    case 'effect_parked': {
      const { code, message, attempts } = event.why;
      const text = `${processor} of ${event.about} is parked after ${count(attempts, 'try', 'tries')}, ${code}: ${message} (orderctl dlq list --processor ${processor})`;
      printer.messages([{ level: 'warn', text }], { about: 'order' });
      break;
    }
  }
}

/** `payment: charge of ORD-7 has failed for 75 s: it answered 503; 3 wait, tried again in 5.0 s`. */
function failingLine(event: Extract<RunEvent, { kind: 'effects_failing' }>): string {
  const { processor, effect, about, forMs, message, waiting, nextInMs } = event;
  const failed = forMs < 1_000 ? 'failed' : `has failed for ${duration(forMs)}`;
  const next = nextInMs === null ? 'tried again now' : `tried again in ${duration(nextInMs)}`;
  return `${processor}: ${effect} of ${about} ${failed}: ${message}; ${count(waiting, 'waits', 'wait')}, ${next}`;
}

function heldBackLine({ ranges }: Extract<RunEvent, { kind: 'held_back' }>): string {
  const held = ranges.map(
    ({ topic, partition, from, to }) =>
      `${count(to - from, 'offset')} of ${topic}/${partition} from ${from} on`,
  );
  return `transactions of other producers are open; not read until they end: ${held.join(', ')}`;
}

function unsentLine(
  { settings: { dlqTopic } }: Session,
  { waiting, effects }: Extract<RunEvent, { kind: 'unsent' }>,
): string {
  const deadLetters = waiting.get(dlqTopic) ?? 0;
  const messages = [...waiting.values()].reduce((sum, n) => sum + n, 0) - deadLetters;
  const parts: string[] = [];
  if (deadLetters > 0) parts.push(`${count(deadLetters, 'dead letter')} not sent`);
  if (messages > 0) parts.push(`${count(messages, 'message')} not sent`);
  if (effects > 0) parts.push(`${count(effects, 'effect')} not performed`);
  return `${parts.join(', ')}: kept in the storage folder until the next orderctl consume or run, which continues with it`;
}
