import { randomFrom } from '../support/random.ts';
import type { TableEdit, TableFile } from './oracle.ts';
import type { SendFault } from './sim-broker.ts';
import type { AtOnce } from './owed.ts';
import { DESTINATIONS, type EffectsCall, type PartsCall, type SimDestination } from './parts.ts';
import { DLQ_TOPIC, ITEM_NAMES, PARTITIONS, USER_NAMES } from './topic.ts';

/*
 * What happens to a folder, one step after the other. Steps name nothing that an earlier one has made, so that any of
 * them can be left out of a history when a failure is made smaller.
 */

export interface Save {
  readonly file: TableFile;
  /** How many versions ago the editor has loaded it; 0: as it is now. */
  readonly back: number;
  readonly change:
    | { readonly kind: 'set'; readonly rows: readonly number[]; readonly by: number }
    | { readonly kind: 'add'; readonly names: readonly string[] }
    | { readonly kind: 'remove'; readonly rows: readonly number[] }
    /** The first rows alone: of most tables, less than half. */
    | { readonly kind: 'keep'; readonly count: number };
  readonly mode: 'replace' | 'in_place';
}

export type Step =
  /** `stale`: so many offsets before the position are delivered too. */
  | {
      readonly kind: 'batch';
      readonly partition: number;
      readonly count: number;
      readonly stale: number;
      readonly sendFault: SendFault | null;
    }
  /** A consumer that was away reads from where it stood before the last batch: another position is in force. */
  | { readonly kind: 'stale_member'; readonly partition: number; readonly count: number }
  | { readonly kind: 'edit'; readonly request: TableEdit }
  | { readonly kind: 'save'; readonly save: Save }
  /** Before that call of the rewriting of the CSVs. */
  | { readonly kind: 'save_during_rewrite'; readonly save: Save; readonly call: number }
  /** Each loads the file, orders come in `between` times, and each saves in the same order. */
  | {
      readonly kind: 'session';
      readonly saves: readonly Save[];
      readonly between: number;
      readonly partition: number;
    }
  /** Half of the file is there for a while. */
  | { readonly kind: 'half_save'; readonly save: Save; readonly partition: number }
  | { readonly kind: 'foreign_file'; readonly file: TableFile }
  /** A file is broken for a while; `restart`: over a restart. */
  | { readonly kind: 'break_file'; readonly file: TableFile; readonly restart: boolean }
  | { readonly kind: 'remove_file'; readonly file: TableFile }
  /** A file is put back as it was, to the byte. */
  | { readonly kind: 'old_file'; readonly file: TableFile; readonly back: number }
  | { readonly kind: 'rewind'; readonly partition: number; readonly to: number }
  /** Another tool moves the group; the next start honours it. */
  | { readonly kind: 'move_group'; readonly partition: number; readonly to: number }
  | { readonly kind: 'restart' }
  /** A command owns the folder between two consumers. */
  | { readonly kind: 'handover'; readonly request: TableEdit }
  /** The owner is paused while others own the folder, and wakes up. */
  | {
      readonly kind: 'robbed';
      readonly request: TableEdit;
      /** In the middle of what; `effect`: which another has tried since, with the answer of `effects`. */
      readonly wakes: 'commit' | 'close' | 'sending' | 'effect';
      readonly call: PartsCall;
      readonly effects: EffectsCall;
    }
  /**
   * A copy of the folder is made, orders and an edit go on in the folder, and then the copy takes its place: as a backup
   * that is restored, or (`newId`) as a folder of its own with a group of its own.
   */
  | {
      readonly kind: 'older_copy';
      readonly partition: number;
      readonly count: number;
      readonly request: TableEdit;
      readonly newId: boolean;
    }
  /** A batch, an edit by the socket and the rewriting of the CSVs at once. */
  | {
      readonly kind: 'together';
      readonly partition: number;
      readonly count: number;
      readonly request: TableEdit;
    }
  /** A second service commits what it keeps. */
  | { readonly kind: 'service'; readonly call: PartsCall }
  /** Effects are tried, and answered. */
  | { readonly kind: 'effects'; readonly call: EffectsCall }
  /** Money that is owed is moved, by several at once. */
  | { readonly kind: 'at_once'; readonly debts: AtOnce }
  /** A destination does not answer, while the service and a batch go on, and then it does. */
  | {
      readonly kind: 'silent';
      readonly destination: SimDestination | typeof DLQ_TOPIC;
      readonly calls: readonly PartsCall[];
      readonly partition: number;
      readonly count: number;
    }
  /** A second passes: CSVs are written. */
  | { readonly kind: 'tick' };

export interface History {
  readonly seed: number;
  readonly folder: number;
  /** Size of the journal that calls for a checkpoint. */
  readonly checkpointBytes: number;
  readonly steps: readonly Step[];
}

/** How many prepared folders a history may begin with. */
export const FOLDERS = 4;
/** From a checkpoint at every other commit to none but at the end. */
const CHECKPOINT_BYTES = [400, 1_500, 1_000_000] as const;

/** @param most steps */
export function makeHistory(seed: number, most: number): History {
  const next = randomFrom(seed);
  const below = (bound: number): number => Math.floor(next() * bound);
  const pick = <T>(list: readonly T[]): T => list[below(list.length)] as T;
  const length = 1 + below(most);
  const folder = below(FOLDERS);
  const checkpointBytes = pick(CHECKPOINT_BYTES);
  const steps: Step[] = [];
  for (let index = 0; index < length; index++) steps.push(makeStep(next(), { below, pick, index }));
  return { seed, folder, checkpointBytes, steps };
}

interface Draw {
  readonly below: (bound: number) => number;
  readonly pick: <T>(list: readonly T[]) => T;
  readonly index: number;
}

/** @param choice from 0 to 1 */
function makeStep(choice: number, draw: Draw): Step {
  const { below, pick } = draw;
  const partition = below(PARTITIONS);
  const count = 1 + below(6);
  const file = pick(['users.csv', 'inventory.csv', 'inventory.csv'] as const);
  const kinds: [number, () => Step][] = [
    [
      26,
      () => ({
        kind: 'batch',
        partition,
        count,
        stale: below(3) === 0 ? 1 + below(4) : 0,
        sendFault: below(8) === 0 ? pick(['before', 'after'] as const) : null,
      }),
    ],
    [3, () => ({ kind: 'stale_member', partition, count })],
    [8, () => ({ kind: 'edit', request: makeEdit(draw) })],
    [10, () => ({ kind: 'save', save: makeSave(file, draw) })],
    [8, () => ({ kind: 'save_during_rewrite', save: makeSave(file, draw), call: 1 + below(16) })],
    [
      10,
      () => ({
        kind: 'session',
        saves: Array.from({ length: 1 + below(2) }, () => makeSave(file, draw)),
        between: below(3),
        partition,
      }),
    ],
    [3, () => ({ kind: 'half_save', save: makeSave(file, draw), partition })],
    [2, () => ({ kind: 'foreign_file', file })],
    [3, () => ({ kind: 'break_file', file, restart: below(2) === 0 })],
    [2, () => ({ kind: 'remove_file', file })],
    [2, () => ({ kind: 'old_file', file, back: below(3) })],
    [5, () => ({ kind: 'rewind', partition, to: below(12) })],
    [3, () => ({ kind: 'move_group', partition, to: below(14) })],
    [5, () => ({ kind: 'restart' })],
    [4, () => ({ kind: 'handover', request: makeEdit(draw) })],
    [
      6,
      () => ({
        kind: 'robbed',
        request: makeEdit(draw),
        wakes: pick(['commit', 'close', 'sending', 'sending', 'effect', 'effect'] as const),
        call: makeCall(draw),
        effects: makeAnswer(draw),
      }),
    ],
    [4, () => ({ kind: 'older_copy', partition, count, request: makeEdit(draw), newId: below(2) === 0 })],
    [6, () => ({ kind: 'together', partition, count, request: makeEdit(draw) })],
    [8, () => ({ kind: 'tick' })],
    [12, () => ({ kind: 'service', call: makeCall(draw) })],
    [6, () => ({ kind: 'effects', call: makeAnswer(draw) })],
    [
      6,
      () => ({
        kind: 'silent',
        destination: pick([...DESTINATIONS, DLQ_TOPIC]),
        calls: Array.from({ length: 1 + below(2) }, () => makeCall(draw)),
        partition,
        count,
      }),
    ],
    [6, () => ({ kind: 'at_once', debts: makeDebts(draw) })],
  ];
  const total = kinds.reduce((sum, [weight]) => sum + weight, 0);
  let left = choice * total;
  for (const [weight, make] of kinds) {
    left -= weight;
    if (left < 0) return make();
  }
  return { kind: 'tick' };
}

function makeCall({ below, pick }: Draw): PartsCall {
  return {
    thing: pick(['thing-a', 'thing-b']),
    item: pick([...ITEM_NAMES, 'cup']),
    delta: pick([-3, -1, 4]),
    partition: below(PARTITIONS),
    topics: DESTINATIONS.filter(() => below(2) === 0),
    asks: below(2) === 0,
  };
}

function makeAnswer({ pick }: Draw): EffectsCall {
  return { answer: pick(['done', 'later', 'parked', 'none'] as const) };
}

function makeDebts({ below }: Draw): AtOnce {
  return {
    owed: 1 + below(3),
    atOnce: 1 + below(3),
    sleepAt: Array.from({ length: below(3) }, () => 1 + below(5)),
    loses: Array.from({ length: below(2) }, () => 1 + below(3)),
    expires: below(2) === 0,
  };
}

function makeSave(file: TableFile, { below, pick, index }: Draw): Save {
  const kind = pick(['set', 'set', 'set', 'add', 'add', 'remove', 'remove', 'keep'] as const);
  const some = (): number[] => Array.from({ length: 1 + below(3) }, () => below(6));
  const changes: Record<typeof kind, () => Save['change']> = {
    set: () => ({ kind: 'set', rows: some(), by: pick([-7, -1, 2, 5]) }),
    add: () => ({ kind: 'add', names: some().map((_, at) => `hand${index}.${below(100)}.${at}`) }),
    remove: () => ({ kind: 'remove', rows: some() }),
    keep: () => ({ kind: 'keep', count: below(3) }),
  };
  const change = changes[kind]();
  return { file, back: pick([0, 0, 0, 1, 2]), change, mode: pick(['replace', 'in_place'] as const) };
}

function makeEdit({ below, pick, index }: Draw): TableEdit {
  const user = pick([...USER_NAMES, `user${index}`]);
  const item = pick([...ITEM_NAMES, `item${index}`]);
  const status = pick(['paid', 'unpaid'] as const);
  switch (below(8)) {
    case 0:
      return { kind: 'user.add', user, status };
    case 1:
      return { kind: 'user.update', user, status };
    case 2:
      return { kind: 'user.remove', user };
    case 3:
      return { kind: 'item.add', item, quantity: below(9) };
    case 4:
      return { kind: 'item.remove', item };
    case 5:
      return { kind: 'item.update', item, quantity: below(20) };
    default:
      return { kind: 'item.update', item, by: pick([-2, 3, 7]) };
  }
}
