import type { Batch, Consumer, RunOptions } from '../../../ports/broker.ts';
import { FetchBudget } from '../fetch-budget.ts';
import type { KafkaOptions } from '../options.ts';
import { Run } from './run.ts';

/** Does not connect before `run`. */
export function createConsumer(options: KafkaOptions, budget = new FetchBudget()): Consumer {
  return new KafkaConsumer(options, budget);
}

class KafkaConsumer implements Consumer {
  readonly #options: KafkaOptions;
  readonly #budget: FetchBudget;
  #run: Run | undefined;

  constructor(options: KafkaOptions, budget: FetchBudget) {
    this.#options = options;
    this.#budget = budget;
  }

  async run(options: RunOptions, onBatch: (batch: Batch) => Promise<number>): Promise<void> {
    const run = new Run({ ...this.#options, clientId: options.clientId }, this.#budget, options, onBatch);
    this.#run = run;
    await run.start();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#run?.close();
  }
}
