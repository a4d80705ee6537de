import { ORDERS } from './orders/processor.ts';
import type { Outcome, Processor } from './processor.ts';

/** All services, one a line. What each reads and changes is in README.md. */
export const PROCESSORS: readonly Pick<Processor<unknown, Outcome>, 'name' | 'sources'>[] = [ORDERS];
