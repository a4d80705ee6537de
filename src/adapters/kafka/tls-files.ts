import { readFile } from 'node:fs/promises';
import { Failure } from '../../domain/failure.ts';

/** Paths of PEM files; null means the system's authorities, or no client certificate. */
export interface TlsFiles {
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
}

/** @throws Failure invalid_settings: a file cannot be read, or is not PEM */
export async function readTls(tls: TlsFiles): Promise<{ ca?: string; cert?: string; key?: string }> {
  const [ca, cert, key] = await Promise.all([
    readPem('the TLS certificate authorities', tls.ca),
    readPem('the TLS certificate', tls.cert),
    readPem('the TLS key', tls.key),
  ]);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
  };
}

async function readPem(what: string, file: string | null): Promise<string | undefined> {
  if (file === null) return undefined;
  try {
    const text = await readFile(file, 'utf8');
    if (text.includes('-----BEGIN ')) return text;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new Failure('invalid_settings', `${file}, ${what}, cannot be read (${code})`, {
      fix: 'give the path of a PEM file',
      context: { file },
    });
  }
  throw new Failure('invalid_settings', `${file}, ${what}, is not a PEM file`, {
    fix: 'convert it to PEM, which starts with -----BEGIN',
    context: { file },
  });
}
