import type { Command } from 'commander';
import type { GivenDetails } from '../../../domain/edit.ts';
import { NAMED_DETAILS, type DetailKind, type NamedDetail } from '../../../domain/tables.ts';
import { wholeNumber } from '../../parse.ts';

/** Commander names them as the fields of an item. */
export type DetailOptions = Partial<Record<NamedDetail['field'], string>>;

const HELP: Readonly<Record<NamedDetail['column'], string>> = {
  name: 'display name',
  category: 'category',
  price: 'unit price, such as 12.50',
  reorder_level: 'stock at or below this is low',
};

interface Value {
  readonly metavar: string;
  readonly parse: (flag: string, text: string) => string | number;
}

/** Texts and prices are checked when the edit is decided. */
const VALUES: Readonly<Record<DetailKind, Value>> = {
  text: { metavar: 'TEXT', parse: (_, text) => text },
  price: { metavar: 'AMOUNT', parse: (_, text) => text },
  quantity: { metavar: 'N', parse: wholeNumber },
};

function flagOf({ column }: NamedDetail): string {
  return `--${column.replaceAll('_', '-')}`;
}

/** In the order of help. */
export const DETAIL_FLAGS = NAMED_DETAILS.map(flagOf);

export function withDetails(command: Command): Command {
  for (const detail of NAMED_DETAILS) {
    command.option(`${flagOf(detail)} <${VALUES[detail.kind].metavar}>`, HELP[detail.column]);
  }
  return command;
}

/** An empty text unsets a detail, as an empty cell of the file does. */
export function detailsOf(options: DetailOptions): GivenDetails {
  return Object.fromEntries(
    NAMED_DETAILS.flatMap((detail) => {
      const text = options[detail.field];
      if (text === undefined) return [];
      return [[detail.field, text === '' ? null : VALUES[detail.kind].parse(flagOf(detail), text)]];
    }),
  );
}
