import type { World } from './world.ts';

/** One step that may happen now; `apply` changes the world that is passed to it. */
export interface Move {
  readonly name: string;
  /** Index of the instance that does it; null if none does. */
  readonly by: number | null;
  readonly apply: (world: World) => void;
}
