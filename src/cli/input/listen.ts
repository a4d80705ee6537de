import { Failure } from '../../domain/failure.ts';

/** The error of the operating system, which may be wrapped in another error. */
export function systemErrorIn(error: unknown): NodeJS.ErrnoException | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause : error;
}

/** The failure to report if a port cannot be opened; null for any other error. */
export function listenFailure(
  error: unknown,
  { host, port, flag }: { host: string; port: number; flag: string },
): Failure | null {
  const system = systemErrorIn(error);
  if (system === undefined || !['listen', 'bind', 'getaddrinfo'].includes(system.syscall ?? '')) return null;
  if (system.code === 'EADDRINUSE') {
    return new Failure('port_in_use', `another program listens on ${host}:${port}`, {
      fix: `stop it, or use another port with ${flag} N (0: any free port)`,
      cause: error,
    });
  }
  return new Failure('invalid_value', `cannot listen on ${host}:${port}: ${system.message}`, {
    fix: `use a port from 1024 up with ${flag}, and an address of this machine with --host`,
    cause: error,
  });
}
