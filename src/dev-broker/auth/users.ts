import { createHash, timingSafeEqual } from 'node:crypto';

import { KafkaError } from '../wire/errors.ts';
import type { SaslExchange } from './sasl-exchange.ts';
import { scramCredential, scramExchange, type ScramCredential, type ScramHash } from './scram.ts';

export const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const;

/** Users and their passwords. */
export class Users {
  readonly #passwords: ReadonlyMap<string, string>;
  /** Derived on first use: each takes thousands of hashes. */
  readonly #credentials = new Map<string, ScramCredential>();

  constructor(passwords: ReadonlyMap<string, string>) {
    this.#passwords = passwords;
  }

  /** @returns undefined for an unknown mechanism */
  exchange(mechanism: string): SaslExchange | undefined {
    switch (mechanism) {
      case 'PLAIN':
        return { next: (token) => this.#plain(token) };
      case 'SCRAM-SHA-256':
        return scramExchange('sha256', (user) => this.#credential('sha256', user));
      case 'SCRAM-SHA-512':
        return scramExchange('sha512', (user) => this.#credential('sha512', user));
      default:
        return undefined;
    }
  }

  /** RFC 4616: authorization identity, NUL, user, NUL, password. */
  #plain(token: Buffer): { answer: Buffer; user: string } {
    const parts = token.toString('utf8').split('\0');
    const [actAs = '', user = '', given = ''] = parts;
    const password = this.#passwords.get(user);
    const isRight =
      parts.length === 3 &&
      (actAs === '' || actAs === user) &&
      password !== undefined &&
      same(given, password);
    if (!isRight) {
      throw new KafkaError('SASL_AUTHENTICATION_FAILED', 'Authentication failed: invalid credentials');
    }
    return { answer: Buffer.alloc(0), user };
  }

  #credential(hash: ScramHash, user: string): ScramCredential | undefined {
    const password = this.#passwords.get(user);
    if (password === undefined) return undefined;
    const key = `${hash} ${user}`;
    const known = this.#credentials.get(key) ?? scramCredential(hash, password);
    this.#credentials.set(key, known);
    return known;
  }
}

/** Compares in constant time, wherever the values differ. */
function same(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
