/*
 * Arrays as values of statements. A commit has thousands of rows, each column one array.
 */

/** What JSON escapes in another way than a text of an array, which knows a backslash and a quote alone. */
const OTHER_ESCAPE = /\\[bfnrtu]/;

/**
 * An array of texts, finite numbers and nulls as the text that PostgreSQL reads ("Array Input and Output Syntax" in its
 * manual), which is that of JSON with other brackets. All else is left to the driver, which takes five times as long.
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
 * The array of a parameter, for a look-up of keys by an index. The planner looks at each element of an array that it knows,
 * some 25 ms for those of a commit; this one it does not.
 *
 * @param parameter as $1
 */
export function anyOf(parameter: string): string {
  return `ANY((SELECT ${parameter}::text[])::text[])`;
}

export interface Column {
  readonly name: string;
  readonly type: string;
  /** Of each row. */
  readonly values: readonly unknown[];
}

export interface Statement {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * Inserts rows. Of a commit most columns are alike in all of them, as the topic, or the reason of none: such a value is sent
 * once.
 *
 * @param key a column sent for each row: how many rows there are is known by it
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
