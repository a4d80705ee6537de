/**
 * The alphabet of users, items and order ids. It begins with a letter or digit, so that no name is a
 * spreadsheet formula, a hidden file or an option.
 */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$';
const NAME = new RegExp(NAME_PATTERN);

/** Without brackets of its own: messages put it in brackets. */
export const NAME_RULE =
  'at most 128 characters of A-Z, a-z, 0-9 and . _ : @ / -, the first a letter or a digit';

/** What stands where the name of a user stood whose data was erased: no two of them are alike, and none says who it was. */
const ERASED = /^erased-[0-9a-f]{12}$/;

export function isErased(name: string): boolean {
  return ERASED.test(name);
}

/** Whether two names are one user's, as far as is known of one that was erased. */
export function isSameUser(a: string, b: string): boolean {
  return a === b || isErased(a) || isErased(b);
}

export function isName(text: string): boolean {
  return NAME.test(text);
}
