/**
 * Every failure a person can meet, by code, with the exit code it ends in. The codes are part of the outside
 * contract (`"code"` under `-o json`): never rename one.
 *
 * 1 a bug · 2 wrong usage · 3 not found · 4 conflict · 5 a service cannot be reached or refused us ·
 * 6 the data is wrong · 7 the operating system failed a read or a write · 130 interrupted before the end
 */
export const EXIT_CODES = {
  bug: 1,
  usage: 2,
  invalid_value: 2,
  invalid_settings: 2,
  not_found: 3,
  topic_missing: 3,
  already_exists: 4,
  folder_in_use: 4,
  port_in_use: 4,
  group_in_use: 4,
  group_marked: 4,
  already_decided: 4,
  broker_unreachable: 5,
  broker_refused: 5,
  registry_unreachable: 5,
  registry_refused: 5,
  owner_unreachable: 5,
  corrupt_file: 6,
  corrupt_state: 6,
  invalid_input: 6,
  offsets_gone: 6,
  topic_changed: 6,
  incompatible_schema: 6,
  audit_mismatch: 6,
  check_failed: 6,
  read_failed: 7,
  write_failed: 7,
  interrupted: 130,
} as const;

export type FailureCode = keyof typeof EXIT_CODES;

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
 * The one error type that people see. `message` says what failed and on what, `fix` what to do next.
 * Anything thrown that is not a Failure is a bug.
 */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly code: FailureCode;
  readonly fix: string | null;
  readonly context: FailureContext;

  constructor(
    code: FailureCode,
    message: string,
    options: { fix?: string; context?: FailureContext; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix ?? null;
    this.context = options.context ?? {};
  }

  get exitCode(): number {
    return EXIT_CODES[this.code];
  }
}

export function isFailure(error: unknown, ...codes: FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}
