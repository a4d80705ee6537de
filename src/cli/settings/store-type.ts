import { Failure } from '../../domain/failure.ts';
import type { SettingType } from './values.ts';

/** Whether the store is a database rather than a folder. */
export function isDatabase(store: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(store);
}

/** A folder, as a path or `file:DIR`, or `postgres://USER@HOST:PORT/DATABASE`. */
export const STORE: SettingType<string> = {
  completion: 'files',
  read: (text, where) => {
    if (text === '' || /\p{Cc}/u.test(text)) throw bad(where, 'it is empty, or contains a control character');
    if (!isDatabase(text)) return text.replace(/^file:(?:\/\/(?=\/))?/, '');
    const store = withPortsApart(text);
    if (!URL.canParse(store)) throw bad(where, 'it is not a URL');
    const url = new URL(store);
    if (url.hostname === '' || url.pathname.length < 2) throw bad(where, 'it has no host, or no database');
    // Every user of the machine can see flags.
    if (url.password !== '' && where.startsWith('--')) {
      throw new Failure('usage', `${where}: a password does not belong in a flag`, {
        fix: 'set ORDERCTL_STORE_PASSWORD, or ORDERCTL_STORE_PASSWORD_FILE',
      });
    }
    return store;
  },
};

const DEFAULT_PORT = '5432';

/**
 * For several servers, libpq accepts a port at each host, which is not a valid URL, or all ports as a parameter, which
 * is: `postgres://USER@HOST,HOST/DATABASE?port=PORT,PORT`. Converts the first form to the second.
 */
function withPortsApart(text: string): string {
  const [, before = '', hosts = '', after = ''] =
    /^([^:]+:\/\/(?:[^@/?#]*@)?)([^@/?#]+)(.*)$/.exec(text) ?? [];
  const each = hosts.split(',').map((host) => host.split(':'));
  if (each.length === 1 || /[?&]port=/.test(after)) return text;
  const ports = each.map(([, port = DEFAULT_PORT]) => port).join();
  return `${before}${each.map(([host]) => host).join()}${after}${after.includes('?') ? '&' : '?'}port=${ports}`;
}

/** The message does not repeat the value, which may contain a password. */
function bad(where: string, what: string): Failure {
  return new Failure('invalid_value', `${where}: ${what}`, {
    fix: 'use a folder, or postgres://USER@HOST:PORT/DATABASE',
  });
}
