import { Failure } from '../../../domain/failure.ts';
import type { Connection } from '../connection.ts';

/** Why nobody may change a store. */
export interface Seal {
  readonly why: 'copied' | 'incomplete';
  /** What it was copied to, or is copied from. */
  readonly store: string;
}

export async function readSeal(connection: Connection): Promise<Seal | null> {
  const [row] = await connection.query<{ sealed: Seal | null }>('SELECT sealed FROM orderctl.shop');
  return row?.sealed ?? null;
}

/** @param to what it may have been copied to; null: nothing @throws Failure folder_in_use */
export async function refuseSealed(connection: Connection, to: string | null = null): Promise<void> {
  const seal = await readSeal(connection);
  if (seal === null || (seal.why === 'copied' && seal.store === to)) return;
  throw new Failure(
    'folder_in_use',
    seal.why === 'copied'
      ? `${connection.name} was copied to ${seal.store}, and is sealed`
      : `${connection.name} is a copy of ${seal.store} that is not whole yet`,
    {
      fix:
        seal.why === 'copied'
          ? 'use that store; to go on with this one and give that one up: UPDATE orderctl.shop SET sealed = NULL'
          : 'go on with the copy, or DROP SCHEMA orderctl CASCADE',
    },
  );
}
