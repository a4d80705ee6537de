import type { Skip } from '../../../app/offsets/skips.ts';

/** Why records were skipped, to follow "skipped". */
export const SKIPPED_BY: Readonly<Record<Skip['cause'], string>> = {
  reset: 'by a reset',
  group_moved: 'because another tool moved the group',
  adopt: 'because the group was taken over',
};
