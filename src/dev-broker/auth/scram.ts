import { createHash, createHmac, pbkdf2Sync, randomBytes, timingSafeEqual } from 'node:crypto';

import { KafkaError } from '../wire/errors.ts';
import type { SaslExchange } from './sasl-exchange.ts';

export type ScramHash = 'sha256' | 'sha512';

/** What the server stores for a password: enough to verify a proof, not to create one. */
export interface ScramCredential {
  readonly salt: Buffer;
  readonly iterations: number;
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

/** Kafka's minimum, which is also that of RFC 7677. */
const ITERATIONS = 4096;

/** RFC 5802, 3: SaltedPassword, ClientKey, StoredKey and ServerKey. Passwords are UTF-8, as in Kafka. */
export function scramCredential(hash: ScramHash, password: string, salt = randomBytes(16)): ScramCredential {
  const length = createHash(hash).digest().length;
  const salted = pbkdf2Sync(password, salt, ITERATIONS, length, hash);
  const clientKey = hmac(hash, salted, 'Client Key');
  return {
    salt,
    iterations: ITERATIONS,
    storedKey: createHash(hash).update(clientKey).digest(),
    serverKey: hmac(hash, salted, 'Server Key'),
  };
}

/**
 * The server's side of SCRAM (RFC 5802, RFC 7677) without channel binding: client-first, server-first, client-final,
 * server-final.
 *
 * @param credentialOf undefined for an unknown user
 */
export function scramExchange(
  hash: ScramHash,
  credentialOf: (user: string) => ScramCredential | undefined,
  serverNonce = randomBytes(18).toString('base64'),
): SaslExchange {
  let begun:
    { user: string; credential: ScramCredential; nonce: string; auth: string; gs2: string } | undefined;

  const first = (message: string): Buffer => {
    // gs2-header (no channel binding, perhaps an identity to act as), then n=user,r=nonce and extensions.
    const found = /^([ny],(?:a=([^,]*))?,)((?:m=[^,]*,)?n=([^,]+),r=([\x21-\x2b\x2d-\x7e]+)(?:,.*)?)$/s.exec(
      message,
    );
    if (found === null) throw refused('the first SCRAM message cannot be parsed');
    const [, gs2 = '', actAs, bare = '', name = '', clientNonce = ''] = found;
    const user = unescapeName(name);
    if (bare.startsWith('m=')) throw refused('the client requires an unknown SCRAM extension');
    if (actAs !== undefined && unescapeName(actAs) !== user)
      throw refused('a user cannot act as another user');
    const credential = credentialOf(user);
    if (credential === undefined) throw refused('invalid credentials');
    const nonce = clientNonce + serverNonce;
    const answer = `r=${nonce},s=${credential.salt.toString('base64')},i=${credential.iterations}`;
    begun = { user, credential, nonce, auth: `${bare},${answer}`, gs2 };
    return Buffer.from(answer);
  };

  const final = (message: string, { user, credential, nonce, auth, gs2 }: NonNullable<typeof begun>) => {
    const found = /^(c=([^,]+),r=([^,]+)(?:,.*)?),p=([^,]+)$/s.exec(message);
    if (found === null) throw refused('the final SCRAM message cannot be parsed');
    const [, withoutProof = '', binding = '', answeredNonce = '', proof = ''] = found;
    if (answeredNonce !== nonce || Buffer.from(binding, 'base64').toString() !== gs2) {
      throw refused('the final SCRAM message does not match the first');
    }
    const authMessage = `${auth},${withoutProof}`;
    const signature = hmac(hash, credential.storedKey, authMessage);
    const proven = Buffer.from(proof, 'base64');
    if (proven.length !== signature.length) throw refused('invalid credentials');
    const clientKey = signature.map((byte, index) => byte ^ (proven[index] ?? 0));
    const storedKey = createHash(hash).update(clientKey).digest();
    if (!timingSafeEqual(storedKey, credential.storedKey)) throw refused('invalid credentials');
    const verifier = hmac(hash, credential.serverKey, authMessage).toString('base64');
    return { answer: Buffer.from(`v=${verifier}`), user };
  };

  return {
    next(token) {
      const message = token.toString('utf8');
      return begun === undefined ? { answer: first(message) } : final(message, begun);
    },
  };
}

/** RFC 5802, 5.1: a comma is =2C in a name and an equals sign =3D. */
function unescapeName(name: string): string {
  if (/=(?!2C|3D)/.test(name)) throw refused('the user name is not encoded as SCRAM requires');
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

function hmac(hash: ScramHash, key: Buffer, data: string): Buffer {
  return createHmac(hash, key).update(data).digest();
}

function refused(why: string): KafkaError {
  return new KafkaError('SASL_AUTHENTICATION_FAILED', `Authentication failed: ${why}`);
}
