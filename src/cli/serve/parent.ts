import type { Experiment, ExperimentBegun, ExperimentList } from '../../documents/http/experiment.ts';
import { EXPERIMENTS } from '../../domain/experiments/kinds.ts';
import type { ShopPart } from '../../app/overview/overview.ts';
import { Failure } from '../../domain/failure.ts';
import type { Experiments } from '../../http/shop.ts';
import type { Answer, Ask, News } from '../up/messages.ts';

const ANSWER_WITHIN_MS = 5_000;

type Question = Ask extends infer Each ? (Each extends Ask ? Omit<Each, 'number'> : never) : never;

/** The connection to the `up` that started this process, if there is one. */
export interface Parent {
  readonly experiments: Experiments;
  /** The processes of `up`; null: there is no `up`. */
  readonly parts: () => readonly ShopPart[] | null;
}

/** @param onNews receives experiments as they start and end */
export function parentOf(onNews: (news: Experiment | ExperimentBegun) => void): Parent {
  const waiting = new Map<number, (answer: Answer) => void>();
  let asked = 0;
  let isOpen = false;
  let parts: readonly ShopPart[] | null = null;
  process.on('message', (message: Answer | News) => {
    if (message.type === 'experiment') onNews(message.experiment);
    else if (message.type === 'open') isOpen = true;
    else if (message.type === 'parts') ({ parts } = message);
    else waiting.get(message.number)?.(message);
  });
  const ask = async (question: Question): Promise<ExperimentList | ExperimentBegun> => {
    const number = ++asked;
    const answered = new Promise<Answer>((resolve, reject) => {
      waiting.set(number, resolve);
      setTimeout(() => reject(unavailable('orderctl up does not answer')), ANSWER_WITHIN_MS).unref();
    });
    try {
      process.send?.({ ...question, number });
      const answer = await answered;
      if (answer.type === 'answer') return answer.result;
      const { code, message, fix } = answer;
      throw new Failure(code, message, fix === null ? {} : { fix });
    } finally {
      waiting.delete(number);
    }
  };
  const experiments: Experiments = {
    list: async () => (isOpen ? ((await ask({ type: 'list' })) as ExperimentList) : NONE),
    begin: async (kind, seed) => {
      if (!isOpen) throw unavailable('this shop was not started by "orderctl up" with its own broker');
      return (await ask({ type: 'begin', kind, seed })) as ExperimentBegun;
    },
  };
  return { experiments, parts: () => parts };
}

const NONE: ExperimentList = { available: false, kinds: EXPERIMENTS, running: null, experiments: [] };

function unavailable(message: string): Failure {
  return new Failure('folder_in_use', message, { fix: 'start one: orderctl up' });
}
