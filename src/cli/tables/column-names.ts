import type { ColumnName } from '../../app/tables/rename-columns.ts';
import { Failure } from '../../domain/failure.ts';

/** An example of what other programs call each key column. */
const ELSEWHERE: Readonly<Record<string, string>> = { user: 'Login', item: 'SKU', supplier_id: 'Vendor' };

/** Parses `--column item=SKU`. @param known our columns, the key first @throws Failure invalid_value */
export function columnNames(known: readonly string[], given: readonly string[]): ColumnName[] {
  const [key = ''] = known;
  const found = given.map((text): ColumnName => {
    const [, ours = '', theirs = ''] = /^([^=]*)=(.+)$/s.exec(text) ?? [];
    if (known.includes(ours)) return [ours, theirs];
    throw new Failure(
      'invalid_value',
      `--column: ${JSON.stringify(text)} does not start with a known column`,
      {
        fix: `for example --column ${key}=${ELSEWHERE[key] ?? 'Name'}; columns are ${known.join(', ')}`,
      },
    );
  });
  for (const side of [0, 1] as const) {
    const twice = found.find((pair, at) => found.findIndex((other) => other[side] === pair[side]) !== at);
    if (twice === undefined) continue;
    throw new Failure('invalid_value', `--column has ${JSON.stringify(twice[side])} twice`, {
      fix: 'give each column once',
    });
  }
  return found;
}
