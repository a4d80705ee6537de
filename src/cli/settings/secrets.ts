import { readFileSync, statSync } from 'node:fs';
import { Failure } from '../../domain/failure.ts';
import { errorCode } from '../error-code.ts';
import { SETTINGS, type SecretName } from './table.ts';
import type { ResolvedSetting } from './values.ts';

export function passwordWays(variable: string): string {
  return `${variable}, or ${variable}_FILE to the path of a file that only you can read`;
}

/** @throws Failure invalid_settings */
export function resolveSecret(
  name: SecretName,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedSetting {
  const spec = SETTINGS.find((candidate) => candidate.name === name);
  if (spec === undefined) throw new Error(`no such secret: ${name}`);
  const direct = env[spec.env] ?? '';
  const fileVariable = `${spec.env}_FILE`;
  const file = env[fileVariable] ?? '';
  if (direct !== '' && file !== '') {
    throw new Failure('invalid_settings', `${spec.env} and ${fileVariable} are both set`, {
      fix: 'unset one of them',
    });
  }
  if (direct !== '') return { value: direct, source: 'environment', from: spec.env };
  if (file === '') return { value: null, source: 'default', from: null };
  return {
    value: readSecretFile(fileVariable, file),
    source: 'environment',
    from: `${fileVariable}=${file}`,
  };
}

function readSecretFile(variable: string, file: string): string {
  let text: string;
  try {
    const stat = statSync(file);
    if ((stat.mode & 0o077) !== 0) {
      const mode = (stat.mode & 0o777).toString(8).padStart(3, '0');
      throw new Failure('invalid_settings', `${variable}: other users can read ${file} (mode ${mode})`, {
        fix: `chmod 600 ${file}`,
        context: { file },
      });
    }
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw new Failure('invalid_settings', `${variable}: ${file} cannot be read (${errorCode(error)})`, {
      fix: `set it to the path of a file with the password, or unset ${variable}`,
      context: { file },
    });
  }
  const secret = text.replace(/\r?\n$/, '');
  if (secret === '') {
    throw new Failure('invalid_settings', `${variable}: ${file} is empty`, {
      fix: 'write the password to it',
      context: { file },
    });
  }
  return secret;
}

/** Refuses passwords as flags, which every user of the machine can see; the message does not repeat them. @throws Failure usage */
export function refusePasswords(words: readonly string[]): void {
  for (const word of words) {
    const flag = /^--(sasl|registry|store)-password(-file)?(?==|$)/.exec(word);
    if (flag === null) continue;
    const variable = `ORDERCTL_${(flag[1] ?? '').toUpperCase()}_PASSWORD`;
    throw new Failure('usage', `passwords cannot be given as flags (${flag[0]})`, {
      fix: `set ${passwordWays(variable)}`,
    });
  }
}
