import { ERROR, type ErrorCode } from '../wire/errors.ts';

/** PRODUCER_FENCED, or INVALID_PRODUCER_EPOCH for clients older than `since` (KIP-588). */
export function fencedBefore(since: number, version: number, error: ErrorCode): ErrorCode {
  return error === ERROR.PRODUCER_FENCED && version < since ? ERROR.INVALID_PRODUCER_EPOCH : error;
}
