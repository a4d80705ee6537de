import { Failure } from '../../domain/failure.ts';

/** What the operating system refused, wrapped in another error or not. */
export function systemErrorIn(error: unknown): NodeJS.ErrnoException | undefined {
  if (!(error instanceof Error)) return undefined;
  return error.cause instanceof Error ? error.cause : error;
}

/** Why nothing listens there, for who gave the port; null when it is another error. */
export function listenFailure(
  error: unknown,
  { host, port, flag }: { host: string; port: number; flag: string },
): Failure | null {
  const system = systemErrorIn(error);
  if (system === undefined || !['listen', 'bind', 'getaddrinfo'].includes(system.syscall ?? '')) return null;
  if (system.code === 'EADDRINUSE') {
    return new Failure('port_in_use', `another program listens on ${host}:${port}`, {
      fix: `stop it, or give another port with ${flag} N (0 takes a free one)`,
      cause: error,
    });
  }
  return new Failure('invalid_value', `nothing can listen on ${host}:${port}: ${system.message}`, {
    fix: `give a port from 1024 up with ${flag}, and an address of this machine with --host`,
    cause: error,
  });
}
