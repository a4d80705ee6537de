import type { Advice } from './advice.ts';

/** Every failure a user can meet. The codes are part of the outside contract (`"code"` under `-o json`): never rename one. */
export const FAILURE_CODES = [
  'bug',
  'usage',
  'invalid_value',
  'invalid_settings',
  'not_found',
  'topic_missing',
  'already_exists',
  'folder_in_use',
  'port_in_use',
  'group_in_use',
  'group_marked',
  'already_decided',
  'changed_since',
  'not_finished',
  'broker_unreachable',
  'broker_refused',
  'registry_unreachable',
  'registry_refused',
  'store_unreachable',
  'store_refused',
  'store_too_new',
  'owner_unreachable',
  'corrupt_file',
  'corrupt_state',
  'invalid_input',
  'offsets_gone',
  'topic_changed',
  'incompatible_schema',
  'audit_mismatch',
  'check_failed',
  'read_failed',
  'write_failed',
  'interrupted',
] as const;

export type FailureCode = (typeof FAILURE_CODES)[number];

/** What a failure is about; each part is left out when unknown. */
export interface FailureContext {
  file?: string;
  /** 1-based line of `file`. */
  line?: number;
  topic?: string;
  partition?: number;
  offset?: number;
  orderId?: string;
}

/**
 * The one error type that users see. `message` says what failed and on what, `fix` what to do next.
 * Anything thrown that is not a Failure is a bug.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly fix: Advice | null;
  readonly context: FailureContext;

  constructor(
    code: FailureCode,
    message: string,
    options: { fix?: Advice; context?: FailureContext; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix ?? null;
    this.context = options.context ?? {};
  }
}

export function isFailure(error: unknown, ...codes: FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}
