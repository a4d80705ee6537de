import type { Command, CommanderError } from 'commander';
import { Failure } from '../domain/failure.ts';
import { nearest, onlyOne } from './nearest.ts';

/**
 * Refuses a repeated option that has a single value: silently using the last is seldom what was meant. Settings may be
 * repeated, so that the caller of a script or an alias can override them.
 */
export function refuseRepeats(command: Command): void {
  for (const option of command.options) {
    // An option with its own parser collects all values.
    if (!option.required || option.parseArg !== undefined) continue;
    let given = 0;
    command.on(`option:${option.name()}`, () => {
      given += 1;
      if (given > 1) {
        throw new Failure('usage', `${option.long ?? option.flags} is given more than once`, {
          fix: 'give it once; only the last would count',
        });
      }
    });
  }
  for (const below of command.commands) refuseRepeats(below);
}

/** The parser of an option that may be repeated: collects all its values in order. */
export function collect(value: string, before: readonly string[] | undefined): string[] {
  return [...(before ?? []), value];
}

/** Turns an error of Commander into a failure with our wording. */
export function usageFailure(error: CommanderError, program: Command, words: readonly string[]): Failure {
  const chain = commandChain(program, words);
  const known = new Set([
    '--help',
    ...chain.flatMap(({ options }) => options.flatMap(({ long }) => long ?? [])),
  ]);
  // `orderctl user add`
  const see = `see: ${chain.map((command) => command.name()).join(' ')} --help`;
  // Commander reports a missing option before a misspelt one, which is the likely cause.
  const misspelt =
    error.code === 'commander.missingMandatoryOptionValue'
      ? words
          .map((word) => word.replace(/=.*/s, ''))
          .find((word) => /^--[a-z]/.test(word) && !known.has(word))
      : undefined;
  const [first = ''] = error.message.replace(/^error: /, '').split('\n');
  // Quotes as in all our messages.
  const given = first.replaceAll(/'([^']*)'/g, '"$1"');
  const message = misspelt === undefined ? given : `unknown option "${misspelt}"`;
  const [, kind, word = ''] = /^unknown (option|command) "(.*)"$/.exec(message) ?? [];
  let near: string | undefined;
  if (kind === 'option') near = meantOption(word, known) ?? nearestOption(word, known);
  if (kind === 'command') {
    const verbs = chain.at(-1)?.commands.map((command) => command.name()) ?? [];
    near = VERBS[word]?.find((verb) => verbs.includes(verb)) ?? nearest(word, verbs);
  }
  return new Failure('usage', message, { fix: near === undefined ? see : `did you mean ${near}?` });
}

/** Verbs of other programs, and what they may be here: the first that the command has. */
const VERBS: Readonly<Record<string, readonly string[]>> = {
  create: ['add', 'register', 'apply'],
  describe: ['explain', 'show'],
  get: ['show'],
  ls: ['list', 'show'],
  new: ['add'],
  rm: ['remove', 'discard'],
  set: ['update', 'reset'],
  retry: ['redrive'],
};
const OPTIONS: Readonly<Record<string, readonly string[]>> = {
  '--bootstrap-server': ['--brokers'],
  '--bootstrap-servers': ['--brokers'],
  '--broker-port': ['--port'],
  '--csv': ['--output csv'],
  '--follow': ['--watch'],
  '--force': ['--yes', '--execute'],
  '--format': ['--output'],
  '--from-beginning': ['--reset-to earliest', '--to earliest'],
  '--json': ['--output json'],
  '--schema-registry': ['--registry'],
  '--tail': ['--limit'],
  '-c': ['--count'],
  '-f': ['--file', '--watch'],
  '-g': ['--group'],
  '-n': ['--count', '--max-messages', '--limit', '--max'],
  '-s': ['--storage'],
  '-v': ['--version'],
  '-w': ['--watch'],
};

function meantOption(option: string, known: ReadonlySet<string>): string | undefined {
  return OPTIONS[option]?.find((meant) => known.has(meant.replace(/ .*/, '')));
}

/** Compares options without their dashes. A single letter matches the only option that starts with it. */
function nearestOption(option: string, known: ReadonlySet<string>): string | undefined {
  const names = [...known].map((name) => name.slice(2));
  const [letter] = /^-([a-z])$/.exec(option)?.slice(1) ?? [];
  const near =
    letter === undefined
      ? nearest(option.replace(/^--/, ''), names)
      : onlyOne(names.filter((name) => name.startsWith(letter)));
  return near === undefined ? undefined : `--${near}`;
}

/** The program and the commands under it, as far as the words name them. */
export function commandChain(program: Command, words: readonly string[]): Command[] {
  const chain = [program];
  for (const word of words) {
    const next = chain
      .at(-1)
      ?.commands.find((candidate) => candidate.name() === word || candidate.aliases().includes(word));
    if (next !== undefined) chain.push(next);
  }
  return chain;
}
