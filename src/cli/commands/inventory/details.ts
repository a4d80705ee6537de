import type { Command } from 'commander';
import { wholeNumber } from '../../parse.ts';

export interface DetailOptions {
  name?: string;
  category?: string;
  price?: string;
  reorderLevel?: string;
}

export function withDetails(command: Command): Command {
  return command
    .option('--name <TEXT>', 'display name')
    .option('--category <TEXT>', 'category')
    .option('--price <AMOUNT>', 'unit price, such as 12.50')
    .option('--reorder-level <N>', 'stock at or below this is low');
}

/** An empty text unsets a detail, as an empty cell of the file does. */
export function detailsOf(options: DetailOptions): {
  name?: string | null;
  category?: string | null;
  price?: string | null;
  reorderLevel?: number | null;
} {
  const { name, category, price, reorderLevel } = options;
  const set = <T>(text: string, parse: (text: string) => T): T | null => (text === '' ? null : parse(text));
  return {
    ...(name === undefined ? {} : { name: set(name, String) }),
    ...(category === undefined ? {} : { category: set(category, String) }),
    ...(price === undefined ? {} : { price: set(price, String) }),
    ...(reorderLevel === undefined
      ? {}
      : { reorderLevel: set(reorderLevel, (text) => wholeNumber('--reorder-level', text)) }),
  };
}
