import { appendFile, readFile } from 'node:fs/promises';
import { randomInt, randomUUID } from 'node:crypto';
import { runExperiment } from '../../app/experiments/experiment.ts';
import type { Experiment, ExperimentBegun, ExperimentList } from '../../documents/http/experiment.ts';
import { experimentDocument } from '../../documents/write/experiment.ts';
import { EXPERIMENTS, type ExperimentKind } from '../../domain/experiments/kinds.ts';
import { Failure, isFailure } from '../../domain/failure.ts';
import type { Answer, Ask } from './messages.ts';
import { ShopStage, type StageOptions } from './stage.ts';

/** Random seeds are below this number: short enough for users to type them again. */
const CHANCE_SEEDS = 10_000;
/** Number of experiments kept for the page. */
const KEPT = 100;

export interface LaboratoryOptions {
  /** The file to which a line is appended for each experiment. */
  readonly file: string;
  readonly stage: StageOptions;
  readonly onNews: (news: Experiment | ExperimentBegun) => void;
  /** Receives bugs of this program. */
  readonly onBug: (error: unknown) => void;
}

/** Experiments on the shop of `up`, one at a time. */
export class Laboratory {
  readonly #options: LaboratoryOptions;
  readonly #kept: Experiment[];
  #running: ExperimentBegun | null = null;

  private constructor(options: LaboratoryOptions, kept: Experiment[]) {
    this.#options = options;
    this.#kept = kept;
  }

  static async open(options: LaboratoryOptions): Promise<Laboratory> {
    return new Laboratory(options, await readLatest(options.file));
  }

  list(): ExperimentList {
    return {
      available: true,
      kinds: EXPERIMENTS,
      running: this.#running,
      experiments: this.#kept.toReversed(),
    };
  }

  /** @throws Failure folder_in_use: another experiment is running */
  async begin(kind: ExperimentKind, seed: number | null): Promise<ExperimentBegun> {
    if (this.#running !== null) {
      const { kind: other, seed: its } = this.#running;
      throw new Failure('folder_in_use', `the experiment ${other} with seed ${its} is under way`, {
        fix: 'wait for its receipt',
      });
    }
    const begun = { id: randomUUID().slice(0, 8), kind, seed: seed ?? randomInt(CHANCE_SEEDS) };
    this.#running = begun;
    this.#options.onNews(begun);
    void this.#carryOut(begun).catch(this.#options.onBug);
    return begun;
  }

  async #carryOut(begun: ExperimentBegun & { readonly kind: ExperimentKind }): Promise<void> {
    try {
      await using stage = await ShopStage.open(this.#options.stage);
      const experiment = experimentDocument(await runExperiment(stage, begun));
      await appendFile(this.#options.file, `${JSON.stringify(experiment)}\n`);
      this.#kept.push(experiment);
      if (this.#kept.length > KEPT) this.#kept.shift();
      this.#running = null;
      this.#options.onNews(experiment);
    } finally {
      this.#running = null;
    }
  }

  /** Answers a request of the server. */
  async answer(ask: Ask): Promise<Answer> {
    const { number } = ask;
    try {
      const result = ask.type === 'list' ? this.list() : await this.begin(ask.kind, ask.seed);
      return { type: 'answer', number, result };
    } catch (error) {
      if (!isFailure(error)) throw error;
      return { type: 'refused', number, code: error.code, message: error.message, fix: error.fix };
    }
  }
}

/** Reads the end of the file. Ends a last line that a crash cut off, so that it does not corrupt the next one. */
async function readLatest(file: string): Promise<Experiment[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (text !== '' && !text.endsWith('\n')) await appendFile(file, '\n');
  return text
    .split('\n')
    .slice(-KEPT - 1)
    .flatMap((line) => {
      try {
        return [JSON.parse(line) as Experiment];
      } catch {
        return [];
      }
    });
}
