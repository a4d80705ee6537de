/** A metric that follows https://prometheus.io/docs/practices/naming/: base units in names, no units in labels. */
export interface Metric<Label extends string = string> {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly Label[];
  /** Upper bounds of a histogram, ascending. */
  readonly buckets?: readonly number[];
}

export type Labels<Label extends string> = Readonly<Record<Label, string>>;

/** The metrics of this process. A metric exists from its first use. */
export interface Meter {
  /** Adds to a counter. */
  add<Label extends string>(metric: Metric<Label>, labels: Labels<Label>, by?: number): void;
  /** Records a value in a histogram. */
  observe<Label extends string>(metric: Metric<Label>, labels: Labels<Label>, value: number): void;
  /** Registers a counter or gauge whose values are computed: `read` is called whenever the metrics are read. */
  watch<Label extends string>(
    metric: Metric<Label>,
    read: () => Iterable<readonly [labels: Labels<Label>, value: number]>,
  ): void;
  /** All metrics, in the Prometheus text format. */
  text(): Promise<string>;
  /** The content type of `text`. */
  readonly contentType: string;
}
