import type { Demo } from '../../documents/development.ts';
import type { Counts } from '../../documents/status.ts';
import type { ConsumeSummary as SummaryDocument } from '../../documents/summary.ts';

/** The evidence that the demo checks: sent orders, the contents of the files, and the summaries of the consumer. */
export interface Evidence {
  /** Order ids, as the producer printed them. */
  readonly sent: readonly string[];
  /** Lines of orders.jsonl and rejections.jsonl. */
  readonly accepted: readonly DecidedLine[];
  readonly rejected: readonly DecidedLine[];
  /** Quantities by item: added by commands, and by the edit by hand. */
  readonly putIn: Readonly<Record<string, number>>;
  readonly edited: Readonly<Record<string, number>>;
  /** Quantities by item, as printed by `inventory show`; and the text of inventory.csv. */
  readonly stock: Readonly<Record<string, number>>;
  readonly inventoryCsv: string;
  /** The text of both logs, before all records were read again and after the replay. */
  readonly logsBefore: string;
  readonly logsAfter: string;
  /** Summaries of the consumer: after the kill, reading from the beginning, reading after the replay. */
  readonly restarted: ConsumeSummary;
  readonly again: ConsumeSummary;
  readonly afterReplay: ConsumeSummary;
  /** Number of orders that the replay sent. */
  readonly replayed: number;
}

export interface DecidedLine {
  readonly order_id: string;
  readonly items: readonly { readonly item: string; readonly quantity: number }[];
  readonly reason?: string;
}

/** The fields of the summary of `consume -o json` that are checked. */
export interface ConsumeSummary extends Counts {
  readonly partitions: readonly Pick<SummaryDocument['partitions'][number], 'lag'>[];
}

/** A promise of the demo, whether it was kept, and the figures that show it. */
export type Promised = Demo['promises'][number];

/** Checks every promise, using only what the program wrote to files and printed. */
export function checkPromises(evidence: Evidence): Promised[] {
  return [
    onceEach(evidence),
    stockAddsUp(evidence),
    againChangesNothing(evidence),
    nothingLost(evidence),
    filesAreYours(evidence),
  ];
}

function onceEach({ accepted, rejected }: Evidence): Promised {
  const ids = [...accepted, ...rejected].map((line) => line.order_id);
  const distinct = new Set(ids).size;
  return {
    promise: 'every order is processed once',
    ok: ids.length > 0 && distinct === ids.length,
    detail: `${ids.length} decisions for ${distinct} ids, through kill -9`,
  };
}

function stockAddsUp(evidence: Evidence): Promised {
  const { putIn, edited, stock } = evidence;
  const sold = soldOf(evidence.accepted);
  const items = [
    ...new Set([...Object.keys(putIn), ...Object.keys(edited), ...Object.keys(stock), ...sold.keys()]),
  ];
  const sums = items.map((item) => {
    const [first, second, out] = [putIn[item] ?? 0, edited[item] ?? 0, sold.get(item) ?? 0];
    const actual = stock[item];
    const ok = actual !== undefined && actual >= 0 && first + second - out === actual;
    const sum = [first, second].filter((part) => part > 0).join(' + ') + (out > 0 ? ` − ${out}` : '');
    const equals = ok && sum === String(actual) ? '' : ` = ${actual ?? 'missing'}${ok ? '' : ' (wrong)'}`;
    return { ok, text: `${item} ${sum}${equals}` };
  });
  return {
    promise: 'stock = put in − sold',
    ok: sold.size > 0 && sums.every(({ ok }) => ok),
    detail: sums.map(({ text }) => text).join(', '),
  };
}

function soldOf(accepted: readonly DecidedLine[]): Map<string, number> {
  const sold = new Map<string, number>();
  for (const { item, quantity } of accepted.flatMap(({ items }) => items)) {
    sold.set(item, (sold.get(item) ?? 0) + quantity);
  }
  return sold;
}

function againChangesNothing({
  again,
  afterReplay,
  replayed,
  sent,
  accepted,
  ...evidence
}: Evidence): Promised {
  const isUnchanged = evidence.logsBefore !== '' && evidence.logsBefore === evidence.logsAfter;
  return {
    promise: 'reading again and replaying changes nothing',
    ok:
      isUnchanged &&
      again.read === sent.length &&
      again.duplicates === again.read &&
      replayed === accepted.length &&
      afterReplay.read === replayed &&
      afterReplay.duplicates === afterReplay.read,
    detail: `${duplicatesOf(again)} + ${duplicatesOf(afterReplay)} duplicates, ${isUnchanged ? 'same logs' : 'other logs'}`,
  };
}

function duplicatesOf({ duplicates, read }: ConsumeSummary): string {
  return duplicates === read ? String(read) : `${duplicates} of ${read}`;
}

function nothingLost({ sent, accepted, rejected, restarted, again, afterReplay }: Evidence): Promised {
  const decided = new Set([...accepted, ...rejected].map((line) => line.order_id));
  const lost = sent.filter((id) => !decided.has(id)).length;
  const unexplained = rejected.filter(({ reason }) => (reason ?? '') === '').length;
  const isAccountedFor = [restarted, again, afterReplay].every(
    (run) =>
      run.read === run.accepted + run.rejected + run.duplicates + run.conflicts + run.dead_lettered &&
      run.partitions.every(({ lag }) => lag === 0),
  );
  return {
    promise: 'nothing is lost, nothing is silent',
    ok: sent.length > 0 && lost === 0 && unexplained === 0 && decided.size === sent.length && isAccountedFor,
    detail:
      `${sent.length} sent = ${accepted.length} accepted + ${rejected.length} rejected` +
      (lost === 0 ? '' : `, ${lost} lost`) +
      (unexplained === 0 ? '' : `, ${unexplained} without a reason`) +
      (isAccountedFor ? '' : '; a run does not account for all that it read'),
  };
}

function filesAreYours({ edited, stock, inventoryCsv }: Evidence): Promised {
  const rows = new Map(
    inventoryCsv
      .trimEnd()
      .split(/\r?\n/)
      .slice(1)
      .map((line) => line.split(','))
      .map(([item = '', quantity = '']) => [item, Number(quantity)]),
  );
  const isSame = Object.entries(stock).every(([item, quantity]) => rows.get(item) === quantity);
  const isThere = Object.keys(edited).length > 0 && Object.keys(edited).every((item) => rows.has(item));
  const edits = Object.entries(edited).map(([item, by]) => `${item} +${by}`);
  const isCounted = isSame && isThere;
  return {
    promise: 'the files are yours to edit',
    ok: isCounted,
    detail: `${edits.join(' and ')} by hand ${isCounted ? 'count' : 'are not in inventory.csv'}`,
  };
}
