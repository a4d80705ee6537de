import type { Command } from 'commander';
import { resolveSettings, type FlagValues, type Resolved, type Settings } from './settings/resolve.ts';
import { rephraser, type GivenFlag, type NamedCommand } from './hints.ts';
import type { Printer } from './output/printer.ts';
import { camelCase, flagOf, SETTINGS } from './settings/table.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** One run of the program: its settings and its printer. Commands receive nothing else from outside. */
export class Session {
  readonly printer: Printer;
  readonly env: Environment;
  readonly #cwd: string | (() => string);
  #resolved: Resolved | null = null;
  readonly #atEnd: AsyncDisposable[] = [];

  /** @param cwd a function is called only if needed, so that --version works even in a folder that was deleted */
  constructor(printer: Printer, env: Environment, cwd: string | (() => string)) {
    this.printer = printer;
    this.env = env;
    this.#cwd = cwd;
  }

  get cwd(): string {
    return typeof this.#cwd === 'string' ? this.#cwd : this.#cwd();
  }

  /**
   * Resolves the settings with the flags that `program` parsed.
   *
   * @param commands the commands that its messages may name
   * @throws Failure
   */
  resolve(program: Command, commands: readonly NamedCommand[] = []): void {
    this.#resolved = resolveSettings({ flags: flagValues(program), env: this.env, cwd: this.cwd });
    const { quiet, logLevel, noColor } = this.settings;
    const rephrase = rephraser(commands, givenPlaces(this.#resolved), this.env);
    this.printer.configure({ level: quiet ? 'error' : logLevel, noColor, isJson: this.isJson, rephrase });
  }

  /** Disposes of it when the command ends, whether it succeeded or failed. */
  disposeAtEnd(one: AsyncDisposable): void {
    this.#atEnd.push(one);
  }

  async end(): Promise<void> {
    for (const one of this.#atEnd.splice(0)) await one[Symbol.asyncDispose]();
  }

  get resolved(): Resolved {
    if (this.#resolved === null) throw new Error('settings are asked for before the command line was read');
    return this.#resolved;
  }

  get settings(): Settings {
    return this.resolved.settings;
  }

  get isJson(): boolean {
    return this.settings.output === 'json';
  }

  get isCsv(): boolean {
    return this.settings.output === 'csv';
  }

  /** null until the command line was parsed. */
  get knownSettings(): Settings | null {
    return this.#resolved?.settings ?? null;
  }

  /** Whether progress bars and lines that are redrawn in place may be shown. */
  get isLive(): boolean {
    return this.printer.isMessageLive && !this.settings.quiet && !this.isJson;
  }
}

function givenPlaces({ byName }: Resolved): GivenFlag[] {
  return SETTINGS.flatMap(({ name, ...spec }) => {
    const found = 'isPlace' in spec ? byName.get(name) : undefined;
    if (found?.source !== 'flag' || found.value === false) return [];
    return [{ flag: flagOf(name), value: found.value === true ? null : String(found.value) }];
  });
}

function flagValues(program: Command): FlagValues {
  const options = program.opts<Record<string, string | boolean | undefined>>();
  const flags: FlagValues = {};
  for (const { name } of SETTINGS) {
    if (name === 'no_color') {
      // Commander treats `--no-color` as the negation of an option `color` that is true by default.
      if (options.color === false) flags.no_color = true;
      continue;
    }
    const value = options[camelCase(name)];
    if (value !== undefined) flags[name] = value;
  }
  return flags;
}
