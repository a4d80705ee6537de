import { Help, Option, type Command } from 'commander';
import { Failure } from '../domain/failure.ts';
import type { Resolved } from './settings/resolve.ts';
import { flagOf, SETTINGS, type SettingSpec } from './settings/table.ts';

export const HELP_COLUMNS = 80;

export interface HelpText {
  /** One line, in the list of verbs; main.ts has those of commands, which it lists without loading them. */
  readonly summary?: string;
  /** What it does, in prose, and what excludes what. */
  readonly prose: string;
  /** Another word for it. */
  readonly alias?: string;
  /** It prints a table, which -o csv prints as CSV. */
  readonly isTable?: true;
  /** Command lines, each with what it is for. */
  readonly examples: readonly (readonly [command: string, purpose: string])[];
}

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
  const lines = examples.flatMap(([line, purpose]) => [`  # ${purpose}`, `  ${line}`]);
  return command
    .summary(summary ?? command.summary())
    .description(isTable ? `${prose} With -o csv the table is printed as CSV.` : prose)
    .addHelpText('after', `\nEXAMPLES\n${lines.join('\n')}`);
}

/** Help as commander makes it, with what a noun can do above the settings that all have. */
export function commandsFirst(command: Command, helper: Help): string {
  const text = Help.prototype.formatHelp.call(helper, command, helper);
  const [settings = ''] = /^Global Options:\n(?:.+\n)+\n?/m.exec(text) ?? [];
  const rest = text.replace(settings, '');
  return settings === '' ? text : `${rest.trimEnd()}\n\n${settings.trimEnd()}\n`;
}

/** The settings as options of the whole program: they are understood before and after a command. */
export function settingOptions(): Option[] {
  return SETTINGS.filter((spec: SettingSpec) => !spec.isSecret).flatMap((spec: SettingSpec) => {
    const short = spec.short === undefined ? '' : `${spec.short}, `;
    const value = spec.metavar === undefined ? '' : ` <${spec.metavar}>`;
    const option = new Option(`${short}${flagOf(spec.name)}${value}`, `${spec.help} [${origins(spec)}]`);
    if (spec.canBeNegated !== true) return [option];
    return [option, new Option(`--no-${flagOf(spec.name).slice(2)}`, 'turns that off').hideHelp()];
  });
}

function origins(spec: SettingSpec): string {
  const fallback = typeof spec.fallback === 'string' ? `; default: ${spec.fallback}` : '';
  return `${spec.env}${fallback}`;
}
