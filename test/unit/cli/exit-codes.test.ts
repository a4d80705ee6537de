import { expect, it } from 'vitest';
import { EXIT_CODES } from '../../../src/cli/exit.ts';
import { FAILURE_CODES } from '../../../src/domain/failure.ts';

it('ends in the exit code of the contract, for every failure', () => {
  const ofExit = (exit: number): string[] => FAILURE_CODES.filter((code) => EXIT_CODES[code] === exit);
  expect(ofExit(1)).toEqual(['bug']);
  expect(ofExit(2)).toEqual(['usage', 'invalid_value', 'invalid_settings']);
  expect(ofExit(3)).toEqual(['not_found', 'topic_missing']);
  expect(ofExit(4)).toContain('group_in_use');
  expect(ofExit(4)).toContain('folder_in_use');
  expect(ofExit(5)).toContain('broker_unreachable');
  expect(ofExit(6)).toContain('corrupt_file');
  expect(ofExit(7)).toEqual(['read_failed', 'write_failed']);
  expect(ofExit(130)).toEqual(['interrupted']);
});
