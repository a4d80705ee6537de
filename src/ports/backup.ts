import type { Position } from './store.ts';

/** What a backup of a store holds. */
export interface StoreBackup {
  readonly files: number;
  readonly sizeBytes: number;
  /** The same as of the store; null when it was never owned. */
  readonly storeId: string | null;
  /** Where reading goes on from it. */
  readonly positions: readonly Position[];
}
