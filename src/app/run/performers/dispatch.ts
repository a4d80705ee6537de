import { HERE_AT_ONCE, type EffectPerformers } from '../../../ports/effects.ts';

/** Calls no outside service: a dispatch is only due at a certain time. */
export const DISPATCH_PERFORMERS: EffectPerformers = {
  dispatch: { atOnce: HERE_AT_ONCE, perform: async () => ({ kind: 'done', fields: {} }) },
};
