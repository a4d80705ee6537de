import type { Command } from 'commander';
import { Failure } from '../domain/failure.ts';

type Flag = '--user' | '--item' | '--supplier';

/** Lets a subcommand accept a name as its argument or by a flag: `user add alice` or `user add --user alice`. */
export function takingName(command: Command, flag: Flag, what: string): Command {
  return command.argument('[NAME]', what).option(`${flag} <NAME>`, 'the same, as a flag');
}

/** @returns undefined if neither is given @throws Failure usage */
export function nameGiven(
  flag: Flag | '--date',
  name: string | undefined,
  byFlag: string | undefined,
): string | undefined {
  if (name !== undefined && byFlag !== undefined && name !== byFlag) {
    throw new Failure('usage', `both ${name} and ${flag} ${byFlag} are given`, { fix: 'name one' });
  }
  return name ?? byFlag;
}

/** @throws Failure usage: neither is given */
export function nameNeeded(flag: Flag, name: string | undefined, byFlag: string | undefined): string {
  const given = nameGiven(flag, name, byFlag);
  if (given !== undefined) return given;
  const noun = flag.slice(2);
  const example = { '--user': 'alice', '--item': 'book', '--supplier': 'SUP-1' }[flag];
  throw new Failure('usage', `no ${noun} is named`, { fix: `name one, such as ${example}, or by ${flag}` });
}
