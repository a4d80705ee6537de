import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';

/* Failures of a log that another program has changed. */

export function damagedLog(name: string, reason: string): Failure {
  return new Failure('corrupt_state', `${name} was changed or shortened: ${reason}`, {
    fix: wayBack(name),
    context: { file: name },
  });
}

/** @param line its number, from 1 */
export function damagedLine(name: string, line: number, cause: unknown): Failure {
  return new Failure('corrupt_state', `${name}:${line} was changed: orderctl did not write this line`, {
    fix: wayBack(name),
    context: { file: name, line },
    cause,
  });
}

function wayBack(name: string): string {
  return `restore ${path.basename(name)} as it was, or the whole folder from a backup; orders read since then are read again from Kafka`;
}
