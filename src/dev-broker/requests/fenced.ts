import { ERROR, type ErrorCode } from '../wire/errors.ts';

/** PRODUCER_FENCED as a client of that version knows it: older than `since`, it is INVALID_PRODUCER_EPOCH (KIP-588). */
export function fencedBefore(since: number, version: number, error: ErrorCode): ErrorCode {
  return error === ERROR.PRODUCER_FENCED && version < since ? ERROR.INVALID_PRODUCER_EPOCH : error;
}
