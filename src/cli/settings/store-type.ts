import { Failure } from '../../domain/failure.ts';
import type { SettingType } from './values.ts';

/** Whether a store is a database, not a folder. */
export function isDatabase(store: string): boolean {
  return /^postgres(?:ql)?:\/\//i.test(store);
}

/** A folder, as a path or `file:DIR`, or `postgres://USER@HOST:PORT/DATABASE`. */
export const STORE: SettingType<string> = {
  completion: 'files',
  read: (text, where) => {
    if (text === '' || /\p{Cc}/u.test(text)) throw bad(where, 'it is empty, or holds a control character');
    if (!isDatabase(text)) return text.replace(/^file:(?:\/\/(?=\/))?/, '');
    const store = withPortsApart(text);
    if (!URL.canParse(store)) throw bad(where, 'it is no URL');
    const url = new URL(store);
    if (url.hostname === '' || url.pathname.length < 2) throw bad(where, 'it names no host, or no database');
    // Everybody on the machine sees a flag.
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
 * Of several servers libpq takes a port at each host, which makes no URL, or the ports as a parameter, which does:
 * `postgres://USER@HOST,HOST/DATABASE?port=PORT,PORT`.
 */
function withPortsApart(text: string): string {
  const [, before = '', hosts = '', after = ''] =
    /^([^:]+:\/\/(?:[^@/?#]*@)?)([^@/?#]+)(.*)$/.exec(text) ?? [];
  const each = hosts.split(',').map((host) => host.split(':'));
  if (each.length === 1 || /[?&]port=/.test(after)) return text;
  const ports = each.map(([, port = DEFAULT_PORT]) => port).join();
  return `${before}${each.map(([host]) => host).join()}${after}${after.includes('?') ? '&' : '?'}port=${ports}`;
}

/** The value is not repeated: it may hold a password. */
function bad(where: string, what: string): Failure {
  return new Failure('invalid_value', `${where}: ${what}`, {
    fix: 'give a folder, or postgres://USER@HOST:PORT/DATABASE',
  });
}
