import { readdirSync } from 'node:fs';
import { Command, CommanderError } from 'commander';
import { Failure } from '../domain/failure.ts';
import { COMMANDS } from './commands/index.ts';
import { refusePasswords } from './settings/secrets.ts';
import { misspelledVariables } from './settings/misspelled.ts';
import { runToExit, type ExitOptions } from './exit.ts';
import { checkOutput, describe, HELP_COLUMNS, helpTopic, settingOptions, visibleOptions } from './help.ts';
import { version } from './hints.ts';
import { nearest } from './nearest.ts';
import { Printer } from './output/printer.ts';
import { Session } from './session.ts';
import type { SettingSpec } from './settings/spec.ts';
import { SETTINGS } from './settings/table.ts';
import { refuseRepeats, usageFailure } from './usage.ts';
import { isJsonWanted } from './settings/json-wanted.ts';
import { isDatabase } from './settings/store-type.ts';

/** Called by the scripts of `completion`; not a registered command, so that help does not list it. */
const COMPLETE = '__complete';

/** Runs one command line, as `process.argv` gives it, and sets the exit code. */
export async function run(argv: readonly string[]): Promise<void> {
  const words = argv.slice(2);
  const printer = new Printer(process.stdout, process.stderr);
  await printer.loadColours();
  const session = new Session(printer, process.env, () => process.cwd());
  endWithParent();
  await runToExit(() => runCommandLine(words, session), exitOptions(words, session));
}

/** Makes a part of "up" exit if "up" is killed, since nothing else would end it. */
function endWithParent(): void {
  if (!process.connected) return;
  process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
  process.channel?.unref();
}

/** How to report failures of this command line, including errors in the command line itself. */
export function exitOptions(words: readonly string[], session: Session): ExitOptions {
  const { printer, env } = session;
  // Until the settings are known.
  printer.configure({
    level: 'info',
    noColor: (env.NO_COLOR ?? '') !== '' || words.includes('--no-color'),
  });
  const isJson = (): boolean =>
    (session.knownSettings?.output ?? (isJsonWanted(words, session) ? 'json' : 'text')) === 'json';
  return { printer, env, isJson };
}

/** Like `run`, but without setting the exit code: for tests of many command lines in one process. @throws Failure */
export async function runCommandLine(given: readonly string[], session: Session): Promise<void> {
  if (given[0] === COMPLETE) {
    await printCompletions(given.slice(1), session);
    return;
  }
  refusePasswords(given);
  const topic = helpTopic(given);
  if (topic !== null) return session.printer.data(topic);
  const words = plainly(given);
  const name = firstWord(words);
  if (name !== undefined && !COMMANDS.some((command) => command.name === name)) throw unknownCommand(name);

  const program = newProgram(session);
  let help = '';
  // Help is data and always goes to stdout. Only exit.ts reports errors.
  program.configureOutput({
    writeOut: (text) => (help += text),
    writeErr: (text) => (help += text),
    outputError: () => undefined,
    getOutHelpWidth: () => HELP_COLUMNS,
    getErrHelpWidth: () => HELP_COLUMNS,
    getOutHasColors: () => false,
    getErrHasColors: () => false,
  });
  await addCommands(program, name, session);
  try {
    if (words.length === 0) program.outputHelp();
    else await program.parseAsync(words, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    const asksForHelp = ['commander.help', 'commander.helpDisplayed', 'commander.version'].includes(
      error.code,
    );
    if (!asksForHelp) throw usageFailure(error, program, words);
  } finally {
    await session.printer.data(help);
    await session.end();
  }
}

/** Translates `help user` to `user --help`, and `version` to `--version`. */
function plainly([first, ...rest]: readonly string[]): string[] {
  if (first === 'help') return [...rest, '--help'];
  if (first === undefined) return [];
  return [first === 'version' ? '--version' : first, ...rest];
}

/** Adds all commands by name, and the called one completely. */
async function addCommands(program: Command, name: string | undefined, session: Session): Promise<void> {
  for (const command of COMMANDS) {
    const added = program.command(command.name).summary(command.summary);
    if (command.name === name) (await command.load()).register(added, session);
  }
  for (const command of program.commands) refuseRepeats(command);
}

async function printCompletions(words: readonly string[], session: Session): Promise<void> {
  const program = newProgram(session);
  // Only candidates may be printed, neither a version nor an error.
  program.configureOutput({ writeOut: () => undefined, outputError: () => undefined });
  await addCommands(program, firstWord(words.slice(0, -1)), session);
  const { complete } = await import('./complete.ts');
  try {
    const found = await complete(words, program, session);
    await session.printer.data(found.map((word) => `${word}\n`).join(''));
  } catch (error) {
    // Errors in the line are reported when it is run.
    if (!(error instanceof Failure) && !(error instanceof CommanderError)) throw error;
  }
}

function newProgram(session: Session): Command {
  const program = new Command('orderctl');
  describe(program, {
    summary: 'orders from Kafka into files, exactly once',
    prose:
      'Processes orders from Kafka against users and stock, each exactly once. Help for a command: orderctl COMMAND --help',
    examples: [],
  });
  program
    .usage('COMMAND [options]')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .configureHelp({
      helpWidth: HELP_COLUMNS,
      visibleOptions,
    })
    .showSuggestionAfterError(false)
    .exitOverride()
    .hook('preAction', async (_, action) => {
      session.resolve(program, COMMANDS);
      checkOutput(action, session.resolved);
      checkStore(action, session.settings.storage);
      for (const line of misspelledVariables(session.env)) session.printer.warn(line);
      const { warnsOfConflicts = false } = COMMANDS.find(({ name }) => name === nounOf(action)) ?? {};
      if (warnsOfConflicts && mayHoldKept(session.settings.storage)) {
        await (await import('./kept-aside.ts')).warnOfKeptAside(session);
      }
    });
  for (const option of settingOptions()) program.addOption(option);
  return program;
}

function nounOf(action: Command): string {
  let command = action;
  while (command.parent?.parent != null) command = command.parent;
  return command.name();
}

/** Commands that work only on a folder, and what to use for a database. */
const ON_FOLDERS: ReadonlyMap<string, string> = new Map([
  ['backup', 'back up a database with pg_dump, at any time'],
  ['restore', 'restore a database with pg_restore, while no process uses it'],
  ['edit', 'export the table (show -o csv), edit it, and import it (import --replace); or use SQL'],
]);

/** @throws Failure usage */
function checkStore(action: Command, store: string): void {
  const fix = ON_FOLDERS.get(action.name());
  if (fix === undefined || !isDatabase(store)) return;
  throw new Failure('usage', `${action.name()} works on a folder, not on a database (${store})`, { fix });
}

/** Whether files may be set aside there; checked without the store, which not every command needs to load. */
function mayHoldKept(folder: string): boolean {
  try {
    return readdirSync(folder).some((name) => name.endsWith('.conflict'));
  } catch {
    // Opening the folder reports what is wrong with it.
    return false;
  }
}

const TAKE_A_VALUE = new Set<string>(
  SETTINGS.flatMap((spec: SettingSpec) =>
    spec.metavar === undefined ? [] : [`--${spec.name.replaceAll('_', '-')}`, spec.short ?? ''],
  ),
);

/** The first word that is neither a common flag nor its value: the command. */
function firstWord(words: readonly string[]): string | undefined {
  for (let i = 0; i < words.length; i += 1) {
    const word = words[i] ?? '';
    if (word === '--') return words[i + 1];
    if (!word.startsWith('-')) return word;
    if (TAKE_A_VALUE.has(word)) i += 1;
  }
  return undefined;
}

function unknownCommand(name: string): Failure {
  const names = COMMANDS.map((command) => command.name);
  const near = nearest(name, names);
  return new Failure('usage', `unknown command ${JSON.stringify(name)}`, {
    fix: near === undefined ? `use one of: ${names.join(', ')}` : `did you mean ${near}?`,
  });
}
