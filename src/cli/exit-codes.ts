import type { FailureCode } from '../domain/failure.ts';

/**
 * What a failure ends the process with. Part of the outside contract (`"exit_code"` under `-o json`).
 *
 * 1 a bug · 2 wrong usage · 3 not found · 4 conflict · 5 a service cannot be reached or refused us ·
 * 6 the data is wrong · 7 the operating system failed a read or a write · 130 interrupted before the end
 */
export const EXIT_CODES: Readonly<Record<FailureCode, number>> = {
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
};
