import type { World } from './world.ts';

/** One step that may happen now; `apply` changes the world it is given. */
export interface Move {
  readonly name: string;
  /** Place of the instance that does it; null: none does. */
  readonly by: number | null;
  readonly apply: (world: World) => void;
}
