import type { ProduceEvent, ProduceSummary } from '../../../app/send/produce.ts';
import type { ReplayEvent, ReplaySummary } from '../../../app/send/replay.ts';
import type { SkippedOrder } from '../../../documents/order.ts';
import type * as Summary from '../../../documents/summary.ts';
import { formatRecordId, type Order } from '../../../domain/orders/order.ts';
import type { Session } from '../../session.ts';
import { orderInWords, sentDocument } from '../consume/decision.ts';
import { SentThrottle } from './throttle.ts';
import type { ProgressBar, StartBar } from '../progress.ts';
import { count, duration } from '../text.ts';

type Command = 'produce' | 'replay';

/** Prints what `produce` and `replay` send, and their summary. */
export class SendReport {
  readonly #session: Session;
  readonly #bar: ProgressBar | null;
  readonly #throttle = new SentThrottle();

  private constructor(session: Session, bar: ProgressBar | null) {
    this.#session = session;
    this.#bar = bar;
  }

  /** @param total null: unknown, so there is no bar */
  static async open(session: Session, command: Command, total: number | null): Promise<SendReport> {
    const startBar: StartBar | null =
      session.isLive && total !== null && total > 1 ? (await import('../progress.ts')).startBar : null;
    return new SendReport(session, startBar?.(session.printer, command, total ?? 0) ?? null);
  }

  take(event: ProduceEvent | ReplayEvent): void {
    const { printer } = this.#session;
    switch (event.kind) {
      case 'topic_created':
        printer.info(`created topic ${event.topic} with ${count(event.partitions, 'partition')}`);
        break;
      case 'sent':
        this.#print(
          event.orders.map(({ order, partition, offset }) => [order, { partition, offset }] as const),
          'sent',
          event.topic,
        );
        break;
      case 'unknown':
        this.#unknown(event.orders, event.topic);
        break;
      case 'would_send':
        this.#print(
          event.orders.map((order) => [order, null] as const),
          'would_send',
          event.topic,
        );
        break;
      case 'not_sent':
        printer.warn(`order ${event.orderId} was not sent: ${event.why}`);
        break;
      case 'fulfilled':
        this.#skip(event.orderId, event.by);
        break;
      case 'summary':
        this.close();
        this.#summary(event.summary);
        break;
    }
  }

  close(): void {
    this.#bar?.stop();
  }

  #print(
    orders: readonly (readonly [Order, { partition: number; offset: number } | null])[],
    type: 'sent' | 'would_send',
    topic: string,
  ): void {
    const { printer, isJson } = this.#session;
    // Backpressure applies where orders are encoded; nothing here can wait.
    if (isJson) {
      const lines = orders.map(
        ([order, place]) => `${JSON.stringify(sentDocument(type, order, topic, place))}\n`,
      );
      void printer.data(lines.join(''));
    } else {
      const listed = type === 'sent' ? orders.slice(0, this.#mayList(orders.length)) : orders;
      const verb = type === 'sent' ? 'sent' : 'would send';
      const lines = listed.map(([order, place]) => {
        const where = place === null ? topic : formatRecordId({ topic, ...place });
        return `${verb} ${order.orderId} ${orderInWords(order)} (${where})\n`;
      });
      void printer.text(lines.join(''));
    }
    this.#bar?.add(orders.length);
  }

  /** @returns how many of the next orders to list; a terminal without a bar shows how many were left out */
  #mayList(sent: number): number {
    const { printer } = this.#session;
    const { list, before } = this.#throttle.add(sent, performance.now());
    if (before > 0 && printer.isDataLive && this.#bar === null) {
      void printer.text(`sent ${count(before, 'order')} in the last second\n`);
    }
    return list;
  }

  /** Always JSON, so that they can be passed to `produce --file`. */
  #unknown(orders: readonly Order[], topic: string): void {
    const lines = orders.map((order) => `${JSON.stringify(sentDocument('unknown', order, topic, null))}\n`);
    void this.#session.printer.data(lines.join(''));
  }

  #skip(orderId: string, by: string): void {
    const { printer, isJson } = this.#session;
    const document: SkippedOrder = {
      type: 'skipped',
      order_id: orderId,
      reason: 'fulfilled',
      fulfilled_as: by,
    };
    if (isJson) void printer.data(`${JSON.stringify(document)}\n`);
    else void printer.text(`skipped ${orderId}: accepted as ${by}\n`);
  }

  #summary(summary: ProduceSummary | ReplaySummary): void {
    const { printer, isJson } = this.#session;
    if (isJson) {
      void printer.data(`${JSON.stringify(sendSummaryDocument(summary))}\n`);
      return;
    }
    // If nothing happened, the failure message is enough.
    const isNothing =
      'hasFailed' in summary && summary.hasFailed && summary.sent + summary.failed + summary.unknown === 0;
    if (!isNothing) void printer.text(`${summaryText(summary)}\n`);
    const { unlisted } = this.#throttle;
    if (unlisted > 0) printer.info(`${count(unlisted, 'order')} not listed: -o json lists each`);
  }
}

/** Keys in the order of the contract. */
function sendSummaryDocument(
  summary: ProduceSummary | ReplaySummary,
): Summary.ProduceSummary | Summary.ReplaySummary {
  const { topic, sent, failed, interrupted, seconds, unknown } = summary;
  if (!('replayId' in summary))
    return { type: 'summary', command: 'produce', topic, sent, failed, interrupted, seconds, unknown };
  return {
    type: 'summary',
    command: 'replay',
    topic,
    replay_id: summary.replayId,
    dry_run: summary.dryRun,
    selected: summary.selected,
    sent,
    failed,
    fulfilled: summary.fulfilled,
    already_decided: summary.alreadyDecided,
    undecided: summary.undecided,
    interrupted,
    resume_after: summary.resumeAfter,
    seconds,
    unknown,
  };
}

function summaryText(summary: ProduceSummary | ReplaySummary): string {
  const time = duration(summary.seconds * 1000);
  const failed =
    (summary.failed > 0 ? `, ${count(summary.failed, 'order')} failed` : '') +
    (summary.unknown > 0 ? `, ${count(summary.unknown, 'order')} unknown` : '');
  if (!('replayId' in summary)) {
    return `sent ${count(summary.sent, 'order')} to ${summary.topic} in ${time}${failed}`;
  }
  const { dryRun, sent, topic, alreadyDecided, undecided, interrupted, resumeAfter, fulfilled } = summary;
  const lines = [
    dryRun
      ? `would replay ${count(alreadyDecided + undecided, 'order')} to ${topic}${failed}; nothing was sent: leave out --dry-run`
      : `replayed ${count(sent, 'order')} to ${topic} in ${time}${failed}`,
  ];
  if (alreadyDecided > 0) {
    lines.push(
      `${count(alreadyDecided, 'id')} decided already in this folder: consuming them again changes nothing there`,
    );
  }
  if (undecided > 0) lines.push(`${count(undecided, 'new id')}: consume will process each exactly once`);
  if (fulfilled > 0) {
    lines.push(
      `left out ${count(fulfilled, 'order')} whose last try was accepted: --again orders the same once more`,
    );
  }
  // After an interrupt, the failure message has this.
  if (resumeAfter !== null && !interrupted) {
    lines.push(`to continue, run the same command with --resume-after ${resumeAfter}`);
  }
  return lines.join('\n');
}
