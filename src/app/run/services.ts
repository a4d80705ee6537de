import { Failure } from '../../domain/failure.ts';
import type { ShopOptions } from '../../processors/options.ts';
import type { Outcome, Processor } from '../../processors/processor.ts';
import { announceEdits, announceMissed, missedItems, REVISIONS } from '../../processors/stock-events.ts';
import type { RunOptions } from './events.ts';

/** @param names empty: all processors @throws Failure usage: a processor does not exist */
export function selectProcessors(
  all: readonly Processor<unknown, Outcome>[],
  names: readonly string[],
): readonly Processor<unknown, Outcome>[] {
  const known: readonly string[] = all.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new Failure('usage', `there is no processor ${JSON.stringify(unknown)}`, {
      fix: `choose from ${known.join(', ')}`,
    });
  }
  return names.length === 0 ? all : all.filter(({ name }) => names.includes(name));
}

/** How a shop announces changes of stock that no processor made; empty when it announces none. */
export function stockEventsOf({
  events,
}: Pick<ShopOptions, 'events'>): Pick<RunOptions, 'onEdits' | 'announceMissed'> {
  if (events === null) return {};
  return {
    onEdits: (edits, state) => announceEdits(events, edits, state),
    async announceMissed(store) {
      const items = missedItems(await store.small(REVISIONS), await store.items());
      if (items.length === 0) return;
      await store.transact({ items }, (state) => ({
        changes: announceMissed(events, items, state),
        result: null,
      }));
    },
  };
}
