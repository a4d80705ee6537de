/** One event of a trial, in milliseconds. */
export interface Measured {
  readonly kind: string;
  /**
   * How long an order waited for its decision just before, when nothing was broken: the maximum over one order per
   * partition.
   */
  readonly usualMs: number;
  /** From the new leader to the next decision, for each partition that moved. */
  readonly nextDecisionMs: readonly number[];
  /** The part of that before the new leader acknowledged a record. */
  readonly nextRecordMs: readonly number[];
  /** The longest wait of an order for its decision meanwhile, for each partition that did not move. */
  readonly othersMs: readonly number[];
}

/** Minimum, median and maximum of the measurements, one line for each kind of event. */
export function table(measured: readonly Measured[]): string {
  const kinds = [...new Set(measured.map(({ kind }) => kind))];
  const rows = kinds.map((kind) => {
    const of = measured.filter((one) => one.kind === kind);
    return [
      kind,
      String(of.length),
      spread(of.flatMap(({ nextDecisionMs }) => nextDecisionMs)),
      spread(of.flatMap(({ nextRecordMs }) => nextRecordMs)),
      spread(of.flatMap(({ othersMs }) => othersMs)),
      spread(of.map(({ usualMs }) => usualMs)),
    ];
  });
  const head = [
    'event',
    'times',
    'new leader to next decision: min / median / max s',
    'of it without a record',
    'longest wait elsewhere',
    'wait before',
  ];
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const lines = all.map((row) => `| ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  return lines.join('\n');
}

/** The longest from a new leader to the next decision. */
export function longest(measured: readonly Measured[]): number {
  return Math.max(0, ...measured.flatMap(({ nextDecisionMs }) => nextDecisionMs));
}

function spread(values: readonly number[]): string {
  if (values.length === 0) return '-';
  const sorted = values.toSorted((a, b) => a - b);
  const picks = [sorted[0], sorted[sorted.length >> 1], sorted.at(-1)];
  return picks.map((ms) => ((ms ?? 0) / 1_000).toFixed(2)).join(' / ');
}
