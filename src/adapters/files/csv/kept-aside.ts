import path from 'node:path';
import { SET_ASIDE_CAUSES, type SetAside } from '../../../domain/set-aside.ts';
import type { FileSystem } from '../fs.ts';
import type { TableName } from '../tables/columns.ts';

/*
 * A CSV that could not be applied is set aside as `inventory.csv.CAUSE.conflict` until the user has dealt with it;
 * every command says so. All that is known about it is in its name, so nothing can disagree with it.
 */

export interface KeptAside {
  readonly table: TableName;
  /** Its path. */
  readonly file: string;
  readonly why: SetAside;
}

const KEPT = /^(users|inventory)\.csv(?:\.([a-z_]+))?(?:\.\d+)?\.conflict$/;

/** @param number from 1, among the files with the same cause */
export function keptName(table: TableName, why: SetAside, number: number): string {
  const cause = why === 'stranger' ? '' : `.${why}`;
  return `${table}.csv${cause}${number === 1 ? '' : `.${number}`}.conflict`;
}

/** Lists the files that the user has yet to deal with. */
export function listKeptAside(files: Pick<FileSystem, 'list'>, folder: string): readonly KeptAside[] {
  return files
    .list(folder)
    .flatMap((name): KeptAside[] => {
      const [, table, cause = 'stranger'] = KEPT.exec(name) ?? [];
      if (table === undefined || !(cause in SET_ASIDE_CAUSES)) return [];
      return [{ table: table as TableName, file: path.join(folder, name), why: cause as SetAside }];
    })
    .sort((a, b) => (a.file < b.file ? -1 : 1));
}
