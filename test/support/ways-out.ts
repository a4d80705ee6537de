import { wayOut } from '../../src/cli/hints.ts';
import type { Advice } from '../../src/domain/advice.ts';

/** The fix for a failure or finding, in the words of the command line. */
export function fixText({ fix }: { readonly fix: Advice | null }): string {
  return fix === null ? '' : wayOut(fix);
}
