import { isFailure, type Failure } from '../../domain/failure.ts';
import { SET_ASIDE_CAUSES } from '../../domain/set-aside.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { BrokenFile, RunningConsumer } from '../../ports/owner.ts';

/**
 * The answer to a status request: a running consumer, none, one that does not answer, or one that this user cannot
 * reach.
 */
export type AskedConsumer = RunningConsumer | 'none' | 'silent' | 'unknown';

/** A CSV whose last saved state is not in force. */
export interface UncountedFile {
  readonly file: string;
  /** `not_taken_in`: the next owner of the folder will set it aside. */
  readonly state: 'broken' | 'not_taken_in' | 'kept_aside';
  readonly line: number | null;
  readonly message: string;
}

export interface FolderStatus {
  readonly consumer: AskedConsumer;
  readonly files: readonly UncountedFile[];
  /** Why some of this is unknown. */
  readonly problem: Failure | null;
}

/** The status of the running consumer, and the files whose saved state is not in force. Needs no broker. */
export async function showStatus(access: StoreAccess): Promise<FolderStatus> {
  const { consumer, problem } = await askConsumer(access);
  try {
    const files = [...(await filesInPlace(access, consumer)), ...filesKeptAside(access)];
    return { consumer, files, problem };
  } catch (error) {
    if (!isFailure(error)) throw error;
    return { consumer, files: [], problem: problem ?? error };
  }
}

async function askConsumer(access: StoreAccess): Promise<Pick<FolderStatus, 'consumer' | 'problem'>> {
  try {
    return { consumer: (await access.consumerStatus()) ?? 'none', problem: null };
  } catch (error) {
    if (!isFailure(error, 'owner_unreachable', 'read_failed')) throw error;
    return { consumer: error.code === 'read_failed' ? 'unknown' : 'silent', problem: error };
  }
}

async function filesInPlace(access: StoreAccess, consumer: AskedConsumer): Promise<readonly UncountedFile[]> {
  if (typeof consumer === 'object') {
    // A consumer of an earlier version does not report this.
    const { brokenFiles = [] } = consumer.status as Partial<RunningConsumer['status']>;
    return brokenFiles.map(broken);
  }
  const files: UncountedFile[] = [];
  const onNotice = (notice: StoreNotice): void => {
    if (notice.kind === 'file_broken') files.push(broken(notice));
    if (notice.kind !== 'file_set_aside') return;
    files.push({
      file: notice.file,
      state: 'not_taken_in',
      line: null,
      message: SET_ASIDE_CAUSES[notice.why],
    });
  };
  try {
    await (await access.read({ onNotice }))[Symbol.asyncDispose]();
  } catch (error) {
    if (isFailure(error, 'not_found')) return [];
    const file = isFailure(error, 'corrupt_file') ? error.context.file : undefined;
    if (!isFailure(error) || file === undefined) throw error;
    // The first reading of the file failed: there are no last good values.
    files.push(broken({ file, line: error.context.line ?? 1, message: error.message }));
  }
  return files;
}

function broken({ file, line, message }: BrokenFile): UncountedFile {
  return { file, state: 'broken', line, message };
}

function filesKeptAside(access: StoreAccess): readonly UncountedFile[] {
  return access
    .keptAside()
    .map(({ file, why }) => ({ file, state: 'kept_aside', line: null, message: SET_ASIDE_CAUSES[why] }));
}
