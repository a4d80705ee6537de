import type { Command } from 'commander';
import type { Diagnosis } from '../../documents/doctor.ts';
import { doctor } from '../../app/doctor/doctor.ts';
import type { Check } from '../../app/doctor/finding.ts';
import { openSchemaTools, openStore, systemClock } from '../../compose.ts';
import type { Failure } from '../../domain/failure.ts';
import { registryConnection } from '../kafka/connection.ts';
import { describe } from '../help.ts';
import { openBrokerOnly } from '../kafka/open.ts';
import { EXIT_CODES } from '../exit.ts';
import { wayOut } from '../hints.ts';
import { wrapped } from '../output/text.ts';
import type { Session } from '../session.ts';

/** Shorter than for a consumer, since a user waits for the result. */
const BROKER_TIMEOUT_MS = 5_000;

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Checks everything that a consumer depends on, and changes nothing: settings, storage folder and its owner, disk, ' +
      'brokers and their features, topics, positions, group, clock, registry and schema. For the other processors it ' +
      'checks whether their positions still fit their topics, because "orderctl run" stops if they do not. Each finding has a fix. ' +
      'The exit code is that of the worst finding; 0 if there are only warnings.',
    examples: [
      ['orderctl doctor', 'check everything'],
      ['orderctl doctor -o json | jq \'.checks[] | select(.state != "ok")\'', 'for a script'],
    ],
  }).action(async () => {
    await examine(session);
  });
}

async function examine(session: Session): Promise<void> {
  const { settings, resolved, printer, isJson } = session;
  const [access, broker, tools] = await Promise.all([
    openStore(settings),
    openBrokerOnly(session, { connectTimeoutMs: BROKER_TIMEOUT_MS }),
    openSchemaTools(registryConnection(resolved)),
  ]);
  const { topic, dlqTopic, group, topics: names } = settings;
  const found = await doctor(
    { access, broker, tools, clock: systemClock },
    { topic, dlqTopic, group, names, settingsFile: resolved.file },
  );
  const checks = found.map((check) => ({
    ...check,
    fix: check.fix === null ? null : printer.rephrased(wayOut(check.fix)),
  }));
  const worst = worstOf(checks);
  if (isJson) await printer.data(`${JSON.stringify(documentOf(checks, worst))}\n`);
  else await printer.data(checkLines(checks, printer.dataColumns));
  if (worst !== null) throw worst;
}

/** A check with its fix as text. */
type ShownCheck = Check & { readonly fix: string | null };

/** The failure with the highest exit code: invalid data, then unavailable services, then conflicts. */
function worstOf(checks: readonly ShownCheck[]): Failure | null {
  const failures = checks.flatMap(({ failure }) => failure ?? []);
  return failures.sort((a, b) => EXIT_CODES[b.code] - EXIT_CODES[a.code])[0] ?? null;
}

function documentOf(checks: readonly ShownCheck[], worst: Failure | null): Diagnosis {
  return {
    ok: checks.every(({ state }) => state === 'ok'),
    exit_code: worst === null ? 0 : EXIT_CODES[worst.code],
    checks: checks.map(({ name, state, message, fix }) => ({ name, state, message, fix })),
  };
}

/**
 * Formats the checks. This is not a table, so that a fix is never truncated.
 *
 * @param width of the terminal; null: the output is not a terminal
 */
export function checkLines(checks: readonly ShownCheck[], width: number | null): string {
  return checks
    .flatMap(({ name, state, message, fix }) => {
      const label = `${state.padEnd(8)} ${name.replaceAll('_', ' ').padEnd(11)} `;
      const indent = label.length;
      const fixes = fix === null ? [] : fix.split('\n').map((line) => `${' '.repeat(indent)}fix: ${line}`);
      const lines = [label + message, ...fixes];
      return width === null ? lines : lines.flatMap((line) => wrapped(line, { width, indent }));
    })
    .map((line) => `${line}\n`)
    .join('');
}
