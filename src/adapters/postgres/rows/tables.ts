import { ITEM_DETAILS, type User, type UserStatus } from '../../../domain/tables.ts';
import type { StoredPosition } from '../../../ports/store.ts';
import type { Effect } from '../../../domain/effects.ts';
import type { ProcessorName } from '../../../domain/messages/message.ts';

export interface UserRow {
  readonly user_name: string;
  readonly status: UserStatus;
  readonly extra: Readonly<Record<string, string>>;
}

export const USER_COLUMNS = 'user_name, status, extra';

export function userOf({ user_name: user, status, extra }: UserRow): User {
  return { user, status, extra };
}

const DETAILS = ITEM_DETAILS.map(({ field, column }) => `p.${column} AS "${field}"`).join(', ');
/** Columns of ITEMS; a row is an Item. */
export const ITEM_COLUMNS = `item, i.quantity, ${DETAILS}, p.extra`;
export const ITEMS = 'orderctl.products p JOIN orderctl.inventory i USING (item)';

export interface PositionRow {
  readonly processor: string;
  readonly topic: string;
  readonly partition: number;
  readonly next_offset: number;
  readonly last_offset: number | null;
  readonly last_timestamp: number | null;
  readonly last_crc: number | null;
  readonly cluster_id: string | null;
}

export function positionOf(row: PositionRow): StoredPosition {
  const { processor, topic, partition, last_offset: offset, last_timestamp: timestamp, last_crc: crc } = row;
  const isKnown = offset !== null && timestamp !== null && crc !== null;
  return {
    processor: processor as ProcessorName,
    topic,
    partition,
    next: row.next_offset,
    last: isKnown ? { offset, timestamp, crc } : null,
    clusterId: row.cluster_id,
  };
}

export interface EffectRow {
  readonly id: string;
  readonly kind: Effect['kind'];
  readonly key: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly state: Effect['state'];
  readonly due_at: number;
  readonly attempts: number;
  readonly first_tried_at: number | null;
}

export const EFFECT_COLUMNS = 'id, kind, key, fields, state, due_at, attempts, first_tried_at';

export function effectOf({ due_at: dueAt, first_tried_at: firstTriedAt, ...row }: EffectRow): Effect {
  const { id, kind, key, fields, state, attempts } = row;
  return { id, kind, key, fields, state, dueAt, attempts, firstTriedAt };
}
