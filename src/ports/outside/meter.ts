/** A metric, by the conventions of https://prometheus.io/docs/practices/naming/: base units, and none in a label. */
export interface Metric<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram, ascending. */
  readonly buckets?: readonly number[];
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** Keeps the metrics of this process. A metric is there from its first use. */
export interface Meter {
  /** To a counter. */
  add<Label extends string>(metric: Metric<Label>, labels: Labels<Label>, by?: number): void;
  /** In a histogram. */
  observe<Label extends string>(metric: Metric<Label>, labels: Labels<Label>, value: number): void;
  /** Of a counter or gauge that is known without counting here: `read` is called whenever the metrics are read. */
  watch<Label extends string>(
    metric: Metric<Label>,
    read: () => Iterable<readonly [labels: Labels<Label>, value: number]>,
  ): void;
  /** All of them, in the text format of Prometheus. */
  text(): Promise<string>;
  /** Of `text`. */
  readonly contentType: string;
}
