import { Help, Option, type Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import type { Resolved } from './settings/resolve.ts';
import type { SettingSpec } from './settings/spec.ts';
import { flagOf, SETTINGS } from './settings/table.ts';

export const HELP_COLUMNS = 80;

type Example = readonly [command: string, purpose?: string];

export interface HelpText {
  /** One line, in the list of verbs; main.ts has those of commands, which it lists without loading them. */
  readonly summary?: string;
  /** What it does, in prose, and what excludes what. */
  readonly prose: string;
  /** Another name for the command. */
  readonly alias?: string;
  /** It prints a table, which -o csv prints as CSV. */
  readonly isTable?: true;
  /** Command lines, each with what it is for: more would not fit a screen. */
  readonly examples: readonly [Example?, Example?];
}

const SETTINGS_HINT = 'What all commands take, and exit codes: orderctl help settings';

const TABLES = new WeakSet<Command>();

/** @throws Failure usage: CSV is asked for by a flag, and the command prints no table */
export function checkOutput(command: Command, { byName }: Resolved): void {
  const output = byName.get('output');
  if (output?.value !== 'csv' || output.source !== 'flag' || TABLES.has(command)) return;
  throw new Failure('usage', `-o csv is for commands that print a table; "${nameOf(command)}" does not`, {
    fix: 'leave it out, or use -o json',
  });
}

/** `orderctl dlq show` */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Gives a command its texts. */
export function describe(command: Command, { alias, summary, prose, isTable, examples }: HelpText): Command {
  if (isTable) TABLES.add(command);
  if (alias !== undefined) command.alias(alias);
  const lines = examples.flatMap((example) =>
    example === undefined
      ? []
      : [...(example[1] === undefined ? [] : [`  # ${example[1]}`]), `  ${example[0]}`],
  );
  return command
    .summary(summary ?? command.summary())
    .description(isTable ? `${prose} With -o csv the table is printed as CSV.` : prose)
    .addHelpText(
      'after',
      `\n${lines.length === 0 ? '' : `EXAMPLES\n${lines.join('\n')}\n\n`}${SETTINGS_HINT}`,
    );
}

/** Help of the whole program is its commands: what all of them take is a screen of its own. */
export function visibleOptions(command: Command): Option[] {
  if (command.parent === null) return [];
  // A reader of help has found --help.
  const all = Help.prototype.visibleOptions.call(new Help(), command);
  return all.filter(({ long }) => long !== '--help');
}

const EXIT_CODES =
  'Exit codes: 0 done, 1 a bug, 2 wrong usage, 3 not found, 4 conflict, 5 a service away or refusing, 6 the data is ' +
  'wrong, 7 the machine failed, 130 interrupted before the end.';

/** `orderctl help settings`: help on no command. @returns null: it is help on a command, or something else */
export function helpTopic([first, topic]: readonly string[]): string | null {
  if (first !== 'help' || topic !== 'settings') return null;
  const help = new Help();
  help.helpWidth = HELP_COLUMNS;
  const shown = settingOptions().filter(({ hidden }) => !hidden);
  const lines = shown.map((option) => ({
    term: help.optionTerm(option),
    text: help.optionDescription(option),
  }));
  const width = Math.max(...lines.map(({ term }) => term.length));
  const secrets = SETTINGS.filter((spec: SettingSpec) => spec.isSecret).map(({ env }) => env);
  const prose =
    'Every command takes these, before or after its name. A setting is taken from its flag, then from its environment ' +
    'variable (ORDERCTL_DLQ_TOPIC for --dlq-topic; NO_COLOR), then from the nearest orderctl.json walking up from the ' +
    'working directory ("dlq_topic"), then its default, here in brackets. Passwords are never flags: ' +
    `set ${secrets.join(', ')}, or the same with _FILE to the path of a file that only you can read. ` +
    '"orderctl config show" prints each value and where it came from.';
  return [
    `${help.boxWrap(prose, HELP_COLUMNS)}\n`,
    ...lines.map(({ term, text }) => help.formatItem(term, width, text, help)),
    `\n${help.boxWrap(EXIT_CODES, HELP_COLUMNS)}`,
    '',
  ].join('\n');
}

/** The settings as options of the whole program: they are understood before and after a command. */
export function settingOptions(): Option[] {
  return SETTINGS.filter((spec: SettingSpec) => !spec.isSecret).flatMap((spec: SettingSpec) => {
    const short = spec.short === undefined ? '' : `${spec.short}, `;
    const value = spec.metavar === undefined ? '' : ` <${spec.metavar}>`;
    const fallback = typeof spec.fallback === 'string' ? ` [${spec.fallback}]` : '';
    const option = new Option(`${short}${flagOf(spec.name)}${value}`, `${spec.help}${fallback}`);
    if (spec.canBeNegated !== true) return [option];
    return [option, new Option(`--no-${flagOf(spec.name).slice(2)}`, 'turns that off').hideHelp()];
  });
}
