import type { SendEventsEvent, SentEvents, SourceEvent } from '../../../app/send/sources.ts';
import type { SentEvent, SentEventsSummary } from '../../../documents/reports/source-events.ts';
import { formatRecordId } from '../../../domain/orders/order.ts';
import type { SentRecord } from '../../../ports/broker.ts';
import type { Session } from '../../session.ts';
import { count, duration, grouped } from '../text.ts';
import { SentThrottle } from './throttle.ts';

/** Prints what `produce --source` sends, and its summary. */
export class SourceReport {
  readonly #session: Session;
  readonly #throttle = new SentThrottle();

  constructor(session: Session) {
    this.#session = session;
  }

  take(event: SendEventsEvent): void {
    const { printer } = this.#session;
    if (event.kind === 'topic_created') {
      printer.info(`created topic ${event.topic} with ${count(event.partitions, 'partition')}`);
    } else if (event.kind === 'sent') this.#print(event.events);
    else if (event.kind === 'unknown') this.#unknown(event);
    else this.#summary(event.summary);
  }

  #print(events: Extract<SendEventsEvent, { kind: 'sent' }>['events']): void {
    const { printer, isJson } = this.#session;
    if (isJson) {
      const lines = events.map((one) => `${JSON.stringify(document('sent', one, one.topic, one))}\n`);
      void printer.data(lines.join(''));
      return;
    }
    const { list, before } = this.#throttle.add(events.length, performance.now());
    if (before > 0 && printer.isDataLive) {
      void printer.text(`sent ${count(before, 'event')} in the last second\n`);
    }
    const lines = events
      .slice(0, list)
      .map(({ source, fields: { event_id, product_id, quantity }, ...place }) => {
        return `sent ${event_id} ${source} ${product_id}×${quantity} (${formatRecordId(place)})\n`;
      });
    void printer.text(lines.join(''));
  }

  /** Always JSON, as for orders: with everything needed to send them again. */
  #unknown({ topic, events }: Extract<SendEventsEvent, { kind: 'unknown' }>): void {
    const lines = events.map((one) => `${JSON.stringify(document('unknown', one, topic, null))}\n`);
    void this.#session.printer.data(lines.join(''));
  }

  #summary({ byTopic, sent, failed, unknown, interrupted, hasFailed, seconds }: SentEvents): void {
    const { printer, isJson } = this.#session;
    if (isJson) {
      const summary: SentEventsSummary = {
        type: 'summary',
        command: 'produce',
        topics: Object.fromEntries(byTopic),
        sent,
        failed,
        unknown,
        interrupted,
        seconds,
      };
      void printer.data(`${JSON.stringify(summary)}\n`);
      return;
    }
    // If nothing happened, the failure message is enough.
    if (hasFailed && sent + failed + unknown === 0) return;
    const topics = [...byTopic].map(([topic, n]) => `${grouped(n)} to ${topic}`).join(', ');
    const lost =
      (failed > 0 ? `, ${count(failed, 'event')} failed` : '') +
      (unknown > 0 ? `, ${count(unknown, 'event')} unknown` : '');
    const where = topics === '' ? '' : `: ${topics}`;
    void printer.text(`sent ${count(sent, 'event')} in ${duration(seconds * 1000)}${where}${lost}\n`);
    const { unlisted } = this.#throttle;
    if (unlisted > 0) printer.info(`${count(unlisted, 'event')} not listed: -o json lists each`);
  }
}

function document(
  type: SentEvent['type'],
  { source, fields: { event_id, product_id, quantity } }: SourceEvent,
  topic: string,
  place: SentRecord | null,
): SentEvent {
  const { partition, offset } = place ?? { partition: null, offset: null };
  return { type, source, event_id, product_id, quantity, topic, partition, offset };
}
