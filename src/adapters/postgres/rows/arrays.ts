/* Arrays as parameters of statements: a commit has thousands of rows, and each column is one array. */

/** Escapes of JSON that array syntax does not have: it escapes only backslashes and quotes. */
const OTHER_ESCAPE = /\\[bfnrtu]/;

/**
 * Writes an array of texts, finite numbers and nulls as PostgreSQL reads it ("Array Input and Output Syntax" in its
 * manual): like JSON, with other brackets. Any other array is left to the driver, which takes five times as long.
 */
export function arrayLiteral(value: unknown): unknown {
  if (!Array.isArray(value) || !value.every(isPlain)) return value;
  const json = JSON.stringify(value);
  return OTHER_ESCAPE.test(json) ? value : `{${json.slice(1, -1)}}`;
}

function isPlain(value: unknown): boolean {
  return typeof value === 'string' || value === null || Number.isFinite(value);
}

/**
 * The array of a parameter, for looking up keys by an index. The planner examines each element of an array that it
 * knows, which takes some 25 ms for a commit; it does not know this one.
 *
 * @param parameter such as $1
 */
export function anyOf(parameter: string): string {
  return `ANY((SELECT ${parameter}::text[])::text[])`;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** One for each row. */
  readonly values: readonly unknown[];
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Inserts rows. In a commit, most columns have the same value in all rows, such as the topic or an absent reason:
 * such a value is sent once.
 *
 * @param key a column that is sent for each row, and so gives the number of rows
 */
export function insertOf(table: string, key: Column, others: readonly Column[]): Statement {
  const columns = [key, ...others];
  const once = others.filter(({ values }) => values.every((value) => value === values[0]));
  const each = columns.filter((column) => !once.includes(column));
  const arrays = each.map(({ type }, index) => `$${index + 1}::${type}[]`);
  const selected = columns.map((column) => {
    const place = once.indexOf(column);
    return place === -1 ? column.name : `$${each.length + place + 1}::${column.type}`;
  });
  const names = columns.map(({ name }) => name).join(', ');
  return {
    text: `INSERT INTO ${table} (${names}) SELECT ${selected.join(', ')}
      FROM unnest(${arrays.join(', ')}) AS r (${each.map(({ name }) => name).join(', ')})`,
    values: [...each.map(({ values }) => values), ...once.map(({ values }) => values[0])],
  };
}
