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
