import type { Advice } from './advice.ts';

/** The codes of all failures. They are part of the public contract (`"code"` under `-o json`): never rename one. */
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

/** What a failure concerns; unknown parts are left out. */
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
 * The only error type that users see. `message` says what failed and why, `fix` what to do next.
 * Any other thrown value is a bug.
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
