import { readFileSync } from 'node:fs';
import { Failure } from '../../domain/failure.ts';
import { errorCode } from '../error-code.ts';

export const LOOPBACK = '127.0.0.1';

export function isLoopback(host: string): boolean {
  return [LOOPBACK, '::1', 'localhost'].includes(host);
}

/**
 * Refuses to listen on other hosts than loopback without a token, unless the user has allowed it.
 *
 * @param access.danger what other machines could do
 * @throws Failure usage
 */
export function checkAccess(access: {
  readonly host: string;
  readonly flag: '--host' | '--metrics-host';
  readonly token: string | null;
  readonly isInsecure: boolean;
  readonly danger: string;
}): void {
  const { host, flag, token, isInsecure, danger } = access;
  if (isLoopback(host) || token !== null || isInsecure) return;
  throw new Failure('usage', `${flag} ${host}: ${danger}`, {
    fix: 'require a token with --api-token-file FILE; or, in a trusted network, add --insecure',
  });
}

/** Reads a token from the first line of a file. @throws Failure invalid_settings */
export function tokenIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure('invalid_settings', `--api-token-file: ${file} cannot be read (${errorCode(error)})`, {
      fix: 'name a file whose first line is the token',
      context: { file },
    });
  }
  const [token = ''] = text.split(/\r?\n/);
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token;
  throw new Failure('invalid_settings', `--api-token-file: the first line of ${file} is not a token`, {
    fix: 'create one: openssl rand -hex 32 > FILE',
    context: { file },
  });
}
