import { Failure, isFailure } from '../../domain/failure.ts';
import { isoTime } from '../../domain/iso-time.ts';
import type { BrokerAdmin, CommittedOffset, PartitionRange } from '../../ports/broker.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreAccess } from '../../ports/access.ts';
import type { StoreNotice } from '../../ports/notices.ts';
import type { Position, Store, StoreReader } from '../../ports/store.ts';
import { clearGroup, type CopySuspected, type GhostRemoved } from './clear-group.ts';
import {
  commitPositions,
  movedPosition,
  rangesOf,
  refuseVanished,
  storedPositions,
  storeMoves,
  type GroupOf,
} from './group-positions.ts';
import { renderOffsets } from './file.ts';
import { findMoves } from './find-moves.ts';
import { isMove, markOf, type PositionMove, type ResetRequest } from './plan.ts';
import type { OffsetsPorts } from './show.ts';

export interface ResetOptions extends GroupOf {
  /** `undo`: the reversal of the last reset of this topic, which may itself have been one. */
  readonly reset: ResetRequest | 'undo';
  readonly execute: boolean;
  readonly on: (event: ResetEvent) => void;
}

export type ResetEvent =
  | GhostRemoved
  | CopySuspected
  | { readonly kind: 'notice'; readonly notice: StoreNotice }
  /** A dry run found that executing would be refused now. */
  | { readonly kind: 'in_use'; readonly by: string }
  /** A dry run could not ask whether a consumer runs. */
  | { readonly kind: 'owner_unknown'; readonly failure: Failure };

export interface ResetResult extends GroupOf {
  readonly executed: boolean;
  /** Where the previous positions are kept; null when nothing was moved. */
  readonly undoFile: string | null;
  readonly partitions: readonly (PositionMove & { readonly start: number; readonly end: number })[];
}

/**
 * Moves the stored positions and the group's committed offsets together, or says what that would come to. Where
 * they were before is kept in a file first, and in the log of edits, which is what undoing goes by.
 *
 * @throws Failure topic_missing, topic_changed (the folder has read it, and it is gone), invalid_value (no such
 * partition), group_marked (another folder's group), not_found (nothing to undo), corrupt_file (a CSV is broken); when executing, group_in_use and folder_in_use; and those of the ports
 */
export async function resetOffsets(
  ports: OffsetsPorts & { readonly clock: Clock },
  options: ResetOptions,
): Promise<ResetResult> {
  const { access, broker, clock } = ports;
  await using admin = await broker.admin();
  if (!options.execute) {
    await using reader = await readUnbroken(access, options.on);
    const plan = await planReset(admin, reader, options);
    await tellUsers(admin, access, reader, options);
    return resultOf(plan, options, null);
  }
  await using store = await access.own({
    purpose: `offsets reset of ${options.topic}`,
    via: 'command',
    onNotice: (notice) => options.on({ kind: 'notice', notice }),
  });
  await clearGroup(admin, { store, processes: access.processes, clock }, options, options.on);
  const plan = await planReset(admin, store, options);
  const undoFile = await keepUndo(store, plan, options.topic, clock);
  await storeMoves(store, { processor: 'orders', topic: options.topic }, plan.clusterId, plan.moves);
  await followWithGroup(admin, plan, options);
  return resultOf(plan, options, undoFile);
}

/** As executing does, which owns the folder. @throws Failure corrupt_file */
async function readUnbroken(access: StoreAccess, on: ResetOptions['on']): Promise<StoreReader> {
  let broken: Extract<StoreNotice, { kind: 'file_broken' }> | undefined;
  const reader = await access.read({
    onNotice: (notice) => {
      if (notice.kind === 'file_broken') broken ??= notice;
      else on({ kind: 'notice', notice });
    },
  });
  if (broken === undefined) return reader;
  await reader[Symbol.asyncDispose]();
  const { message, fix, file, line } = broken;
  throw new Failure('corrupt_file', message, { ...(fix === null ? {} : { fix }), context: { file, line } });
}

/** What was found, and what it comes to. */
interface Plan {
  readonly moves: readonly PositionMove[];
  readonly ranges: readonly PartitionRange[];
  readonly stored: ReadonlyMap<number, Position>;
  readonly committed: readonly CommittedOffset[];
  readonly mark: string;
  readonly clusterId: string;
}

async function planReset(admin: BrokerAdmin, reader: StoreReader, options: ResetOptions): Promise<Plan> {
  const { topic, group } = options;
  const reset = options.reset === 'undo' ? await reversal(reader, topic) : options.reset;
  const source = { processor: 'orders', topic } as const;
  await refuseVanished(admin, reader, source);
  const stored = await storedPositions(reader, source);
  const ranges = await rangesOf(admin, topic);
  const committed = await admin.committed(group, topic);
  const mark = markOf(reader.storeId ?? '');
  const clusterId = await admin.clusterId();
  const found = { topic, group, mark, clusterId, ranges, stored, committed };
  const moves = await findMoves(admin, reader, { ...found, adopt: false, reset });
  return { moves, ranges, stored, committed, mark, clusterId };
}

/** The resets that one commit made bear one time. */
async function reversal(reader: StoreReader, topic: string): Promise<ResetRequest> {
  let at: number | null = null;
  const offsets = new Map<number, number | 'earliest'>();
  for await (const chunk of reader.edits()) {
    for (const edit of chunk) {
      if (edit.kind !== 'position' || edit.topic !== topic || edit.cause !== 'reset') continue;
      if (edit.at !== at) offsets.clear();
      at = edit.at;
      const { partition, before, recreated } = edit;
      offsets.set(partition, recreated === true || before === null ? 'earliest' : before);
    }
  }
  if (at !== null) return { to: { offsets }, partitions: null };
  throw new Failure('not_found', `no reset of topic ${topic} was executed in this folder: nothing to undo`, {
    fix: { kind: 'show_offsets' },
    context: { topic },
  });
}

/** Reports who prevents executing; a ghost of this folder does not. */
async function tellUsers(
  admin: BrokerAdmin,
  access: StoreAccess,
  reader: StoreReader,
  { group, on }: ResetOptions,
): Promise<void> {
  try {
    const running = await access.consumerStatus();
    if (running !== null) on({ kind: 'in_use', by: `the consumer of this folder (process ${running.pid})` });
  } catch (error) {
    if (isFailure(error, 'read_failed')) on({ kind: 'owner_unknown', failure: error });
    else if (isFailure(error, 'owner_unreachable')) {
      on({ kind: 'in_use', by: `an owner of this folder that does not answer` });
    } else throw error;
  }
  const { members } = await admin.group(group);
  for (const { clientId, memberId, host, process } of members) {
    const isOurs = reader.storeId !== null && clientId === markOf(reader.storeId);
    if (isOurs && (process === null || access.processes.stateOf(process) !== 'alive')) continue;
    on({ kind: 'in_use', by: `member ${clientId || memberId} (${host}) of group ${group}` });
  }
}

/** @returns null when no partition goes elsewhere */
async function keepUndo(store: Store, plan: Plan, topic: string, clock: Clock): Promise<string | null> {
  const starts = new Map(plan.ranges.map(({ partition, start }) => [partition, start]));
  const rows = plan.moves
    .filter((move) => move.cause === 'reset' && isMove(move))
    .map(({ partition, before, recreated }) => ({
      partition,
      offset: (recreated ? null : before) ?? starts.get(partition) ?? 0,
    }));
  if (rows.length === 0) return null;
  const time = isoTime(clock.now()).replaceAll(':', '');
  return store.keepFile(`undo-${time}.csv`, renderOffsets(topic, rows));
}

async function followWithGroup(admin: BrokerAdmin, plan: Plan, options: ResetOptions): Promise<void> {
  const { topic } = options;
  const { moves, stored, ranges, committed, mark, clusterId } = plan;
  const positions = new Map(stored);
  for (const move of moves)
    positions.set(move.partition, movedPosition({ processor: 'orders', topic }, clusterId, move));
  try {
    await commitPositions(admin, options, { positions, ranges, committed, mark });
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure(
      error.code,
      `the stored positions were reset, but not the group's committed offsets: ${error.message}`,
      { fix: 'run the same command again', context: error.context, cause: error },
    );
  }
}

function resultOf(
  { moves, ranges }: Plan,
  { topic, group, execute }: ResetOptions,
  undoFile: string | null,
): ResetResult {
  const rangeOf = new Map(ranges.map((range) => [range.partition, range]));
  const partitions = moves.map((move) => {
    const { start, end } = rangeOf.get(move.partition) ?? { start: 0, end: 0 };
    return { ...move, start, end };
  });
  return { topic, group, executed: execute, undoFile, partitions };
}
