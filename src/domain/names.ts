/**
 * The pattern of user names, item names and order ids. Names start with a letter or digit, so that none can be taken
 * for a spreadsheet formula, a hidden file or an option.
 */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._:@/-]{0,127}$';
const NAME = new RegExp(NAME_PATTERN);

/** Without parentheses: messages put it in parentheses. */
export const NAME_RULE =
  'at most 128 characters of A-Z, a-z, 0-9 and . _ : @ / -, the first a letter or a digit';

/** Replaces the name of a user whose data was erased. Each replacement is unique and does not reveal the user. */
const ERASED = /^erased-[0-9a-f]{12}$/;

export function isErased(name: string): boolean {
  return ERASED.test(name);
}

/** Whether two names may be the same user's; an erased name may be anyone's. */
export function isSameUser(a: string, b: string): boolean {
  return a === b || isErased(a) || isErased(b);
}

export function isName(text: string): boolean {
  return NAME.test(text);
}
