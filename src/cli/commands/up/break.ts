import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import type { Experiment, ExperimentBegun, ExperimentList } from '../../../documents/http/experiment.ts';
import type { Problem } from '../../../documents/http/problem.ts';
import { EXPERIMENTS, MAX_SEED, type ExperimentKind } from '../../../domain/experiments/kinds.ts';
import { Failure, FAILURE_CODES } from '../../../domain/failure.ts';
import { receiptInWords } from '../../../documents/write/experiment.ts';
import { describe } from '../../help.ts';
import { nearest } from '../../nearest.ts';
import { wholeNumber } from '../../parse.ts';
import type { Session } from '../../session.ts';

const URL_OF_UP = 'http://127.0.0.1:8080';
/** Longer than any experiment lasts: see src/app/experiments. */
const RECEIPT_WITHIN_MS = 180_000;
const CHECK_EVERY_MS = 200;

interface Flags {
  readonly seed?: string;
  readonly url: string;
}

export function register(command: Command, session: Session): void {
  const width = Math.max(...EXPERIMENTS.map(({ kind }) => kind.length));
  const kinds = EXPERIMENTS.map(({ kind, about }) => `  ${kind.padEnd(width)}  ${about}`).join('\n');
  describe(command, {
    prose:
      'Injects a fault into the shop that "orderctl up" runs with its own broker on this machine, waits until the shop ' +
      'has recovered, and prints what was expected, what was observed, and whether the books balance; exit code 6 if ' +
      'not. The same seed sends the same orders and fails at the same moments. Each run adds a line to experiments.jsonl ' +
      'of the shop.\n\n' +
      `KIND is one of:\n${kinds}`,
    examples: [
      ['orderctl break kill-shop', 'kill -9 the processors while orders arrive'],
      ['orderctl break chaos --seed 42', 'several faults at once, with a given seed'],
    ],
  })
    .argument('<KIND>', 'kind of fault, see above')
    .option('--seed <N>', 'seed of orders and moments (default: random)')
    .option('--url <URL>', 'URL of the API of "up"', URL_OF_UP)
    .action(async (kind: string, flags: Flags) => {
      await breakShop(session, kindOf(kind), flags);
    });
}

function kindOf(text: string): ExperimentKind {
  const found = EXPERIMENTS.find(({ kind }) => kind === text);
  if (found !== undefined) return found.kind;
  const kinds = EXPERIMENTS.map(({ kind }) => kind);
  const near = nearest(text, kinds);
  throw new Failure('invalid_value', `KIND: ${text} is not a kind of fault`, {
    fix: near === undefined ? `use one of ${kinds.join(', ')}` : `did you mean ${near}?`,
  });
}

async function breakShop({ printer, isJson }: Session, kind: ExperimentKind, flags: Flags): Promise<void> {
  const seed = flags.seed === undefined ? {} : { seed: wholeNumber('--seed', flags.seed, { max: MAX_SEED }) };
  const where = `${flags.url.replace(/\/$/, '')}/experiments`;
  const begun = (await request(where, { kind, ...seed })) as ExperimentBegun;
  printer.info(`${kind} with seed ${begun.seed} ...`);
  const experiment = await receiptOf(where, begun.id);
  if (isJson) await printer.data(`${JSON.stringify(experiment)}\n`);
  else await printer.text(`${receiptInWords(experiment)}\n`);
  if (experiment.ok) return;
  throw new Failure('check_failed', `${kind} with seed ${begun.seed} did not end as expected`, {
    fix: 'see what differs: orderctl audit',
  });
}

async function receiptOf(where: string, id: string): Promise<Experiment> {
  const until = performance.now() + RECEIPT_WITHIN_MS;
  while (performance.now() < until) {
    // The experiment may have killed the server.
    const list = (await request(where).catch(() => null)) as ExperimentList | null;
    const found = list?.experiments.find((one) => one.id === id);
    if (found !== undefined) return found;
    await sleep(CHECK_EVERY_MS);
  }
  throw new Failure('check_failed', 'the experiment has reported no result', {
    fix: 'see the output of "orderctl up"',
  });
}

/** @throws Failure of the server; not_found: no server answers */
async function request(url: string, body?: object): Promise<unknown> {
  let response: Response;
  try {
    const headers = { 'content-type': 'application/json' };
    response = await fetch(
      url,
      body === undefined ? {} : { method: 'POST', headers, body: JSON.stringify(body) },
    );
  } catch (cause) {
    throw new Failure('not_found', `no "orderctl up" answers at ${url}`, {
      fix: 'start one: orderctl up; or give its address: --url URL',
      cause,
    });
  }
  const json: unknown = await response.json();
  if (response.ok) return json;
  const { code, detail, fix } = json as Problem;
  throw new Failure(FAILURE_CODES.find((known) => known === code) ?? 'usage', detail, { fix });
}
