import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Labels, Meter, Metric } from '../../ports/outside/meter.ts';

type Samples = () => Iterable<readonly [labels: Labels<string>, value: number]>;

/** Metrics for Prometheus, in a registry of their own. */
export function createMeter(): Meter {
  const registry = new Registry();
  const counters = new Map<string, Counter>();
  const histograms = new Map<string, Histogram>();
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    add(metric, labels, by = 1) {
      const counter = counters.get(metric.name) ?? new Counter(configOf(metric, registry));
      counters.set(metric.name, counter);
      counter.inc(labels, by);
    },
    observe(metric, labels, value) {
      const { buckets = [] } = metric;
      const histogram =
        histograms.get(metric.name) ??
        new Histogram({ ...configOf(metric, registry), buckets: [...buckets] });
      histograms.set(metric.name, histogram);
      histogram.observe(labels, value);
    },
    watch(metric, read) {
      watch(metric, read as Samples, registry);
    },
  };
}

function configOf({ name, help, labels }: Metric, registry: Registry) {
  return { name, help, labelNames: [...labels], registers: [registry] };
}

/** Reports exactly the samples of the latest `read`: a sample that it no longer returns disappears. */
function watch(metric: Metric, read: Samples, registry: Registry): void {
  const config = configOf(metric, registry);
  if (metric.type === 'gauge') {
    new Gauge({
      ...config,
      collect() {
        this.reset();
        for (const [labels, value] of read()) this.set(labels, value);
      },
    });
    return;
  }
  new Counter({
    ...config,
    collect() {
      this.reset();
      for (const [labels, value] of read()) this.inc(labels, value);
    },
  });
}
