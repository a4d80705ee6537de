import { Failure } from '../../../domain/failure.ts';
import { isAway } from '../failures.ts';

/*
 * A primary and its standbys in one URL, with libpq's parameters (PostgreSQL's manual, "Specifying Multiple Hosts").
 */

/** The accepted values of target_session_attrs: every owner of a store writes. */
const WRITING = ['read-write', 'primary'];

export interface Servers {
  /** One URL for each. */
  readonly urls: readonly [string, ...string[]];
  /** Whether the one that accepts writes must be found. */
  readonly isToWrite: boolean;
}

/**
 * @param text `postgres://USER@HOST,HOST/DATABASE?port=PORT,PORT`, or of one server as usual
 * @throws Failure invalid_value
 */
export function serversOf(text: string): Servers {
  const url = new URL(text);
  const wanted = url.searchParams.get('target_session_attrs');
  if (wanted !== null && !WRITING.includes(wanted)) {
    throw new Failure('invalid_value', `target_session_attrs of the database is ${JSON.stringify(wanted)}`, {
      fix: 'use read-write, or leave it out: of several servers, the one that accepts writes is used',
    });
  }
  if (wanted !== null) url.searchParams.delete('target_session_attrs');
  const [first = '', ...others] = url.hostname.split(',');
  if (others.length === 0) return { urls: [url.href], isToWrite: wanted !== null };
  const ports = (url.searchParams.get('port') ?? url.port).split(',');
  url.searchParams.delete('port');
  const ofOne = (host: string, at: number): string => {
    const one = new URL(url);
    one.hostname = host;
    one.port = ports[at] ?? ports[0] ?? '';
    return one.href;
  };
  return { urls: [ofOne(first, 0), ...others.map((host, at) => ofOne(host, at + 1))], isToWrite: true };
}

/**
 * Opens a session on each server, and keeps the first that accepts writes.
 *
 * @throws Failure store_unreachable when there is none; but the first failure that is not temporary, if any
 */
export async function openToWrite<T extends AsyncDisposable>(
  { name, urls }: { readonly name: string; readonly urls: Servers['urls'] },
  open: (url: string) => Promise<T>,
  takesWrites: (session: T) => Promise<boolean>,
): Promise<T> {
  const opening = urls.map(async (url) => {
    const session = await open(url);
    if (await takesWrites(session).catch(() => false)) return session;
    await session[Symbol.asyncDispose]();
    throw isStandby(url);
  });
  const first = await Promise.any(opening).catch((error: unknown) => {
    throw noneOf(name, error instanceof AggregateError ? error.errors : [error]);
  });
  for (const other of opening) {
    const close = (session: T) => (session === first ? undefined : session[Symbol.asyncDispose]());
    // The failed ones need no closing.
    void other.then(close).catch(() => undefined);
  }
  return first;
}

function noneOf(name: string, errors: readonly unknown[]): unknown {
  const [lasting] = errors.filter((error) => !isAway(error));
  if (lasting !== undefined || errors.length === 1) return lasting ?? errors[0];
  const messages = errors.map((error) => (error instanceof Error ? error.message : String(error)));
  return unwritable(`no server of ${name} accepts writes: ${messages.join('; ')}`);
}

export function isStandby(url: string): Failure {
  return unwritable(`PostgreSQL at ${url} does not accept writes: it is a standby`);
}

function unwritable(message: string): Failure {
  return new Failure('store_unreachable', message, { fix: { kind: 'check_database' } });
}
