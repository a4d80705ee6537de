import { HERE_AT_ONCE, type EffectPerformers } from '../../../ports/effects.ts';

/** Nobody outside is asked: it is time. */
export const DISPATCH_PERFORMERS: EffectPerformers = {
  dispatch: { atOnce: HERE_AT_ONCE, perform: async () => ({ kind: 'done', fields: {} }) },
};
