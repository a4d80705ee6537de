import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';

/** Why a store must not be changed. */
export interface Seal {
  readonly why: 'copied' | 'incomplete';
  /** The store that it was copied to, or is copied from. */
  readonly store: string;
}

export async function readSeal(connection: Connection): Promise<Seal | null> {
  const [row] = await connection.query<{ sealed: Seal | null }>('SELECT sealed FROM orderctl.shop');
  return row?.sealed ?? null;
}

/** @param to the store that it may have been copied to; null: none @throws Failure folder_in_use */
export async function refuseSealed(connection: Connection, to: string | null = null): Promise<void> {
  const seal = await readSeal(connection);
  if (seal === null || (seal.why === 'copied' && seal.store === to)) return;
  throw new Failure(
    'folder_in_use',
    seal.why === 'copied'
      ? `${connection.name} was copied to ${seal.store}, and is sealed`
      : `${connection.name} is an incomplete copy of ${seal.store}`,
    {
      fix:
        seal.why === 'copied'
          ? 'use that store; to use this one instead and give up that store: UPDATE orderctl.shop SET sealed = NULL'
          : 'continue the copy, or DROP SCHEMA orderctl CASCADE',
    },
  );
}
