import { Failure, isFailure } from '../../domain/failure.ts';
import type { ProcessorName } from '../../domain/messages/message.ts';
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
  type ProcessorTopics,
  type SourceMoves,
} from './group-positions.ts';
import { renderOffsets } from './file.ts';
import { findMoves } from './find-moves.ts';
import { isMove, markOf, type PositionMove, type ResetRequest } from './plan.ts';
import type { OffsetsPorts } from './show.ts';

export interface ResetOptions extends Omit<ProcessorTopics, 'topics'> {
  /** By topic; or `undo`: reverse the last reset of these topics, which may itself have been a reversal. */
  readonly reset: ReadonlyMap<string, ResetRequest> | { readonly undo: readonly string[] };
  readonly execute: boolean;
  readonly on: (event: ResetEvent) => void;
}

export type ResetEvent =
  | GhostRemoved
  | CopySuspected
  | { readonly kind: 'notice'; readonly notice: StoreNotice }
  /** A dry run found that executing would be refused now. */
  | { readonly kind: 'in_use'; readonly by: string }
  /** A dry run could not find out whether a consumer is running. */
  | { readonly kind: 'owner_unknown'; readonly failure: Failure };

export interface ResetResult extends ProcessorTopics {
  readonly executed: boolean;
  /** The file with the previous positions; null when nothing was moved. */
  readonly undoFile: string | null;
  readonly partitions: readonly MovedPartition[];
}

export interface MovedPartition extends PositionMove {
  readonly topic: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Moves the stored positions and the group's committed offsets together, or plans to. The previous positions are first
 * saved to a file, and to the log of edits, which undo uses.
 *
 * @throws Failure topic_missing, topic_changed (the folder has read a topic that no longer exists), invalid_value (no
 *   such partition), group_marked (another folder's group), not_found (nothing to undo), corrupt_file (a CSV is
 *   broken); when executing, group_in_use and folder_in_use; and as the ports
 */
export async function resetOffsets(
  ports: OffsetsPorts & { readonly clock: Clock },
  options: ResetOptions,
): Promise<ResetResult> {
  const { access, broker, clock } = ports;
  await using admin = await broker.admin();
  if (!options.execute) {
    await using reader = await readUnbroken(access, options.on);
    const plans = await planReset(admin, reader, options);
    await reportUsers(admin, access, reader, options);
    return resultOf(plans, options, null);
  }
  const { group } = options;
  const topics = topicsOf(options);
  await using store = await access.own({
    purpose: `offsets reset of ${topics.join(', ')}`,
    via: 'command',
    isAlone: true,
    onNotice: (notice) => options.on({ kind: 'notice', notice }),
  });
  const of = { topic: topics[0] ?? '', group };
  await clearGroup(admin, { store, processes: access.processes, clock }, of, options.on);
  const plans = await planReset(admin, store, options);
  const undoFile = await keepUndo(store, plans, clock);
  const clusterId = await admin.clusterId();
  await storeMoves(store, clusterId, plans);
  for (const plan of plans) await followWithGroup(admin, plan, { group, clusterId });
  return resultOf(plans, options, undoFile);
}

function topicsOf({ reset }: Pick<ResetOptions, 'reset'>): readonly string[] {
  return 'undo' in reset ? reset.undo : [...reset.keys()];
}

/** Refuses a broken file, as executing does, which owns the folder. @throws Failure corrupt_file */
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

/** The state of one topic, and the moves that follow from it. */
interface Plan extends SourceMoves {
  readonly ranges: readonly PartitionRange[];
  readonly stored: ReadonlyMap<number, Position>;
  readonly committed: readonly CommittedOffset[];
  readonly mark: string;
}

async function planReset(admin: BrokerAdmin, reader: StoreReader, options: ResetOptions): Promise<Plan[]> {
  const { processor, group } = options;
  const resets =
    'undo' in options.reset ? await reversal(reader, processor, options.reset.undo) : options.reset;
  const mark = markOf(reader.storeId ?? '');
  const plans: Plan[] = [];
  for (const [topic, reset] of resets) {
    const source = { processor, topic };
    await refuseVanished(admin, reader, source);
    const stored = await storedPositions(reader, source);
    const ranges = await rangesOf(admin, source);
    const committed = await admin.committed(group, topic);
    const found = { ...source, group, mark, ranges, stored, committed };
    const moves = await findMoves(admin, reader, { ...found, adopt: false, reset });
    plans.push({ source, moves, ranges, stored, committed, mark });
  }
  return plans;
}

/** Finds the last reset; all resets of one commit have the same time. */
async function reversal(
  reader: StoreReader,
  processor: ProcessorName,
  topics: readonly string[],
): Promise<ReadonlyMap<string, ResetRequest>> {
  let at: number | null = null;
  const byTopic = new Map<string, Map<number, number | 'earliest'>>();
  for await (const chunk of reader.edits()) {
    for (const edit of chunk) {
      if (edit.kind !== 'position' || edit.processor !== processor || edit.cause !== 'reset') continue;
      const { topic, partition, before, recreated } = edit;
      if (!topics.includes(topic)) continue;
      if (edit.at !== at) byTopic.clear();
      at = edit.at;
      const offsets = byTopic.get(topic) ?? new Map<number, number | 'earliest'>();
      byTopic.set(topic, offsets.set(partition, recreated === true || before === null ? 'earliest' : before));
    }
  }
  if (at !== null) {
    return new Map([...byTopic].map(([topic, offsets]) => [topic, { to: { offsets }, partitions: null }]));
  }
  const [topic = ''] = topics;
  const which = topics.length === 1 ? `topic ${topic}` : `topics ${topics.join(', ')}`;
  throw new Failure('not_found', `no reset of ${which} was executed in this folder: nothing to undo`, {
    fix: processor === 'orders' ? { kind: 'show_offsets' } : { kind: 'show_offsets_of', processor },
    context: { topic },
  });
}

/** Reports what prevents executing; a ghost of this folder does not. */
async function reportUsers(
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

/** @returns null when no partition is moved */
async function keepUndo(store: Store, plans: readonly Plan[], clock: Clock): Promise<string | null> {
  const text = plans
    .map(({ source, ranges, moves }) => {
      const starts = new Map(ranges.map(({ partition, start }) => [partition, start]));
      const rows = moves
        .filter((move) => move.cause === 'reset' && isMove(move))
        .map(({ partition, before, recreated }) => ({
          partition,
          offset: (recreated ? null : before) ?? starts.get(partition) ?? 0,
        }));
      return renderOffsets(source.topic, rows);
    })
    .join('');
  if (text === '') return null;
  const time = isoTime(clock.now()).replaceAll(':', '');
  return store.keepFile(`undo-${time}.csv`, text);
}

async function followWithGroup(
  admin: BrokerAdmin,
  { source, moves, stored, ranges, committed, mark }: Plan,
  { group, clusterId }: { group: string; clusterId: string },
): Promise<void> {
  const positions = new Map(stored);
  for (const move of moves) positions.set(move.partition, movedPosition(source, clusterId, move));
  try {
    await commitPositions(admin, { topic: source.topic, group }, { positions, ranges, committed, mark });
  } catch (error) {
    if (!isFailure(error)) throw error;
    throw new Failure(
      error.code,
      `the stored positions were reset, but not the group's committed offsets: ${error.message}`,
      { fix: 'run the same command again', context: error.context, cause: error },
    );
  }
}

function resultOf(plans: readonly Plan[], options: ResetOptions, undoFile: string | null): ResetResult {
  const { processor, group, execute } = options;
  const partitions = plans.flatMap(({ source: { topic }, ranges, moves }) => {
    const rangeOf = new Map(ranges.map((range) => [range.partition, range]));
    return moves.map((move) => {
      const { start, end } = rangeOf.get(move.partition) ?? { start: 0, end: 0 };
      return { ...move, topic, start, end };
    });
  });
  return { processor, group, topics: topicsOf(options), executed: execute, undoFile, partitions };
}
