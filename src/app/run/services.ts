import { Failure } from '../../domain/failure.ts';
import type { ShopOptions } from '../../processors/options.ts';
import type { Outcome, Processor } from '../../processors/processor.ts';
import { announceEdits } from '../../processors/stock-events.ts';
import type { RunOptions } from './events.ts';

/** @param names none: all @throws Failure usage: there is no such processor */
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

/** What follows from edits, in a shop that announces changes of stock. */
export function onEditsOf({ events }: Pick<ShopOptions, 'events'>): Pick<RunOptions, 'onEdits'> {
  return events === null ? {} : { onEdits: (edits, state) => announceEdits(events, edits, state) };
}
