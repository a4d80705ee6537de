import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../../../domain/failure.ts';

/** Parameters of a URL that configure TLS, as in libpq (PostgreSQL's manual, "SSL Mode Descriptions"). */
const MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
const OURS = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey'] as const;
type Given = Readonly<Partial<Record<(typeof OURS)[number], string>>>;

/**
 * Splits a URL into one without TLS parameters, and the TLS options as Node has them; `ssl` is undefined if it has
 * none, so that the environment counts, such as PGSSLMODE.
 *
 * @throws Failure invalid_value (an unknown mode, or one that contradicts the rest), invalid_settings (a file cannot
 *   be read)
 */
export function tlsOf(text: string): {
  readonly url: string;
  readonly ssl: ConnectionOptions | false | undefined;
} {
  const url = new URL(text);
  const given: Given = Object.fromEntries(
    OURS.flatMap((name) => {
      const value = url.searchParams.get(name);
      url.searchParams.delete(name);
      return value === null ? [] : [[name, value]];
    }),
  );
  return { url: url.href, ssl: optionsOf(given) };
}

function optionsOf(given: Given): ConnectionOptions | false | undefined {
  const { sslmode, sslrootcert, sslcert, sslkey } = given;
  const others = [sslrootcert, sslcert, sslkey].filter((value) => value !== undefined);
  if (sslmode === undefined && others.length === 0) return undefined;
  // If a certificate is given, it is meant to be checked.
  const mode = MODES.find((known) => known === (sslmode ?? 'verify-full'));
  if (mode === undefined) {
    throw new Failure('invalid_value', `sslmode of the database is ${JSON.stringify(sslmode)}`, {
      fix: `use one of ${MODES.join(', ')}`,
    });
  }
  if (mode === 'disable') {
    if (others.length === 0) return false;
    throw new Failure('invalid_value', 'sslmode=disable contradicts the certificates that the URL names', {
      fix: 'use sslmode=verify-full, or leave them out',
    });
  }
  const isChecked = mode !== 'require' || sslrootcert !== undefined;
  return {
    rejectUnauthorized: isChecked,
    // As in libpq: with a certificate of the authority, "require" means "verify-ca".
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
    ...(sslrootcert === undefined || sslrootcert === 'system' ? {} : { ca: pem('sslrootcert', sslrootcert) }),
    ...(sslcert === undefined ? {} : { cert: pem('sslcert', sslcert) }),
    ...(sslkey === undefined ? {} : { key: pem('sslkey', sslkey) }),
  };
}

function pem(parameter: string, file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Failure('invalid_settings', `${parameter} of the database: ${file} cannot be read (${code})`, {
      fix: 'give the path of a PEM file',
      context: { file },
    });
  }
  throw new Failure('invalid_settings', `${parameter} of the database: ${file} is not a PEM file`, {
    fix: 'convert it to PEM, which starts with -----BEGIN',
    context: { file },
  });
}
