import type { EffectPerformers } from '../../../ports/effects.ts';

/** Nobody outside is asked: it is time. */
export const DISPATCH_PERFORMERS: EffectPerformers = {
  dispatch: async () => ({ kind: 'done', fields: {} }),
};
