import type { Meter } from '../../ports/outside/meter.ts';
import { processors } from '../../processors/index.ts';
import { PLAIN_SHOP } from '../../processors/options.ts';
import type { Overview } from '../overview/overview.ts';
import { METRICS } from './declared.ts';

/** The metrics that a server has about its shop, from the overview that it updates every second anyway. */
export function measureShop(meter: Meter, watch: { readonly latest: Overview | null }): void {
  const names = processors(PLAIN_SHOP).map(({ name }) => name);
  const seen = function* <T>(of: (overview: Overview) => Iterable<T>): Iterable<T> {
    if (watch.latest !== null) yield* of(watch.latest);
  };
  meter.watch(METRICS.processorRunning, () =>
    seen(({ consumer }) => {
      const running = new Set(consumer?.status.processors.map(({ name }) => name));
      return names.map((processor) => [{ processor }, running.has(processor) ? 1 : 0]);
    }),
  );
  meter.watch(METRICS.brokerAnswers, () =>
    seen(({ kafka }) => (kafka.answers === null ? [] : [[{}, kafka.answers ? 1 : 0]])),
  );
  meter.watch(METRICS.deadLetters, () =>
    seen(({ kafka }) => (kafka.deadLetters === null ? [] : [[{}, kafka.deadLetters]])),
  );
  meter.watch(METRICS.booksBalanced, () =>
    seen(({ balance }) => (balance === null ? [] : [[{}, balance.difference === null ? 1 : 0]])),
  );
  meter.watch(METRICS.booksCheckedAt, () =>
    seen(({ balancedAt }) => (balancedAt === null ? [] : [[{}, balancedAt / 1000]])),
  );
}
