import { Help, Option, type Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import type { Resolved } from './settings/resolve.ts';
import type { SettingSpec } from './settings/spec.ts';
import { flagOf, SETTINGS } from './settings/table.ts';
import type { Completion } from './settings/values.ts';

export const HELP_COLUMNS = 80;

type Example = readonly [command: string, purpose?: string];

export interface HelpText {
  /** One line in the list of subcommands. Top-level commands have theirs in COMMANDS, so none has to be loaded. */
  readonly summary?: string;
  /** What the command does, and which flags exclude each other. */
  readonly prose: string;
  readonly alias?: string;
  /** The command prints a table, and so accepts -o csv. */
  readonly isTable?: true;
  /** Command lines, each with its purpose. At most two, so that the help fits on a screen. */
  readonly examples: readonly [Example?, Example?];
}

const SETTINGS_HINT = 'Global options and exit codes: orderctl help settings';

const TABLES = new WeakSet<Command>();

/** @throws Failure usage: the flag -o csv is given, and the command prints no table */
export function checkOutput(command: Command, { byName }: Resolved): void {
  const output = byName.get('output');
  if (output?.value !== 'csv' || output.source !== 'flag' || TABLES.has(command)) return;
  throw new Failure('usage', `-o csv is for commands that print a table; "${nameOf(command)}" does not`, {
    fix: 'omit it, or use -o json',
  });
}

/** `orderctl dlq show` */
function nameOf(command: Command): string {
  return command.parent === null ? command.name() : `${nameOf(command.parent)} ${command.name()}`;
}

/** Sets the help texts of a command. */
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

/** The help of the program lists only commands; global options have a page of their own (`helpTopic`). */
export function visibleOptions(command: Command): Option[] {
  if (command.parent === null) return [];
  // A user who reads this has found --help already.
  const all = Help.prototype.visibleOptions.call(new Help(), command);
  return all.filter(({ long }) => long !== '--help');
}

const EXIT_CODES =
  'Exit codes: 0 success, 1 bug in orderctl, 2 usage error, 3 not found, 4 conflict, 5 a service is unavailable or ' +
  'refuses, 6 invalid data, 7 operating system error, 130 interrupted.';

/** @returns the page of `orderctl help settings`; null for any other words */
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
    'Every command accepts these options, before or after its name. Each setting comes from its flag, else from its ' +
    'environment variable (ORDERCTL_DLQ_TOPIC for --dlq-topic; NO_COLOR), else from the nearest orderctl.json in the ' +
    'working directory or above it ("dlq_topic"), else from its default, shown here in brackets. Passwords are never ' +
    `flags: set ${secrets.join(', ')}, or the same name with _FILE to the path of a file that only you can read. ` +
    '"orderctl config show" prints each value and its source.';
  return [
    `${help.boxWrap(prose, HELP_COLUMNS)}\n`,
    ...lines.map(({ term, text }) => help.formatItem(term, width, text, help)),
    `\n${help.boxWrap(EXIT_CODES, HELP_COLUMNS)}`,
    '',
  ].join('\n');
}

/** The settings as global options: they are accepted before and after a command. */
export function settingOptions(): Option[] {
  return SETTINGS.filter((spec: SettingSpec) => !spec.isSecret).flatMap((spec: SettingSpec) => {
    const short = spec.short === undefined ? '' : `${spec.short}, `;
    const value = spec.metavar === undefined ? '' : ` <${spec.metavar}>`;
    const fallback = typeof spec.fallback === 'string' ? ` [${spec.fallback}]` : '';
    const option = new Option(`${short}${flagOf(spec.name)}${value}`, `${spec.help}${fallback}`);
    if (spec.canBeNegated !== true) return [option];
    return [option, new Option(`--no-${flagOf(spec.name).slice(2)}`, 'turn it off').hideHelp()];
  });
}

const OFFERED = new WeakMap<Option, Completion>();

/**
 * An option and what the shell offers for its value, where the name of the flag does not say it: for one that `choice`
 * checks, the same list.
 *
 * @param flags as commander takes them: `--state <STATE>`
 */
export function offering(flags: string, description: string, values: Completion): Option {
  const option = new Option(flags, description);
  OFFERED.set(option, values);
  return option;
}

/** @returns undefined: complete.ts knows it by the name of the flag, or nothing is offered */
export function offeredFor(option: Option): Completion | undefined {
  return OFFERED.get(option);
}
