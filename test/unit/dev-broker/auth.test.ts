import { createHmac, createHash, pbkdf2Sync } from 'node:crypto';

import { describe, expect, it } from 'vitest';

import { scramCredential, scramExchange, type ScramHash } from '../../../src/dev-broker/auth/scram.ts';
import { MECHANISMS, Users } from '../../../src/dev-broker/auth/users.ts';
import type { SaslExchange } from '../../../src/dev-broker/auth/sasl-exchange.ts';
import { ERROR } from '../../../src/dev-broker/wire/errors.ts';

const text = (exchange: SaslExchange, token: string) => exchange.next(Buffer.from(token)).answer.toString();
const failed = expect.objectContaining({ code: ERROR.SASL_AUTHENTICATION_FAILED }) as unknown;

function refuses(act: () => unknown): void {
  let thrown: unknown;
  try {
    act();
  } catch (error) {
    thrown = error;
  }
  expect(thrown).toEqual(failed);
}

describe('SCRAM', () => {
  it('exchanges the messages of the example in RFC 7677', () => {
    const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
    const credential = scramCredential('sha256', 'pencil', salt);
    const exchange = scramExchange(
      'sha256',
      (user) => (user === 'user' ? credential : undefined),
      '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    );
    expect(text(exchange, 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO')).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    const final =
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=';
    const { answer, user } = exchange.next(Buffer.from(final));
    expect([answer.toString(), user]).toEqual(['v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=', 'user']);
  });

  const client = (
    hash: ScramHash,
    exchange: SaslExchange,
    user: string,
    password: string,
    header = 'n,,',
    answered = (nonce: string): string => nonce,
  ) => {
    const bare = `n=${user},r=client`;
    const first = text(exchange, `${header}${bare}`);
    const [, nonce = '', salt = '', iterations = ''] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(first) ?? [];
    const length = createHash(hash).digest().length;
    const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), Number(iterations), length, hash);
    const clientKey = createHmac(hash, salted).update('Client Key').digest();
    const storedKey = createHash(hash).update(clientKey).digest();
    const withoutProof = `c=${Buffer.from(header).toString('base64')},r=${answered(nonce)}`;
    const signature = createHmac(hash, storedKey).update(`${bare},${first},${withoutProof}`).digest();
    const proof = clientKey.map((byte, index) => byte ^ (signature[index] ?? 0));
    return { nonce, final: `${withoutProof},p=${Buffer.from(proof).toString('base64')}` };
  };
  const users = new Users(new Map([['a,b=c', 'secret']]));
  const begin = (mechanism: string) => {
    const exchange = users.exchange(mechanism);
    if (exchange === undefined) throw new Error(`no ${mechanism}`);
    return exchange;
  };

  it.each([
    ['SCRAM-SHA-256', 'sha256'],
    ['SCRAM-SHA-512', 'sha512'],
  ] as const)('lets in who knows the password, and nobody else: %s', (mechanism, hash) => {
    const name = 'a=2Cb=3Dc';
    for (const header of ['n,,', 'y,,', `n,a=${name},`]) {
      const good = begin(mechanism);
      const { final } = client(hash, good, name, 'secret', header);
      expect(good.next(Buffer.from(final)).user).toBe('a,b=c');
    }
    const bad = begin(mechanism);
    const { final } = client(hash, bad, name, 'Secret');
    refuses(() => bad.next(Buffer.from(final)));
    refuses(() => client(hash, begin(mechanism), 'nobody', 'secret'));
  });

  it('refuses a final message of another exchange, binding or shape', () => {
    const one = begin('SCRAM-SHA-256');
    const other = begin('SCRAM-SHA-256');
    const { final } = client('sha256', one, 'a=2Cb=3Dc', 'secret');
    const { nonce } = client('sha256', other, 'a=2Cb=3Dc', 'secret');
    refuses(() => other.next(Buffer.from(final)));
    refuses(() => other.next(Buffer.from(`c=eSws,r=${nonce},p=AAAA`)));
    refuses(() => other.next(Buffer.from(`c=biws,r=${nonce},p=AAAA`)));
    refuses(() => other.next(Buffer.from(`c=biws,r=${nonce}`)));
  });

  it('refuses a proof, though it is right, over a nonce that is not the one of the exchange', () => {
    const exchange = begin('SCRAM-SHA-256');
    const { final } = client('sha256', exchange, 'a=2Cb=3Dc', 'secret', 'n,,', (nonce) => `${nonce}x`);
    refuses(() => exchange.next(Buffer.from(final)));
  });

  it('refuses a first message that cannot be read or asks for what there is not', () => {
    const bad = [
      '',
      'n,,',
      'n,,n=u',
      'p=tls-unique,,n=u,r=x',
      'n,a=other,n=a=2Cb=3Dc,r=x',
      'n,,m=ext,n=u,r=x',
    ];
    for (const first of [...bad, 'n,,n=a=2cb,r=x', 'n,,n=u,r=,x']) {
      refuses(() => text(begin('SCRAM-SHA-256'), first));
    }
  });
});

describe('PLAIN', () => {
  const users = new Users(new Map([['alice', 'secret']]));
  const answer = (token: string) => users.exchange('PLAIN')?.next(Buffer.from(token));

  it('lets in who knows the password', () => {
    expect(answer('\0alice\0secret')).toEqual({ answer: Buffer.alloc(0), user: 'alice' });
    expect(answer('alice\0alice\0secret')?.user).toBe('alice');
  });

  it('refuses everybody else', () => {
    for (const token of [
      '\0alice\0Secret',
      '\0bob\0secret',
      'bob\0alice\0secret',
      '',
      '\0alice\0secret\0',
      'alice\0secret',
    ]) {
      refuses(() => answer(token));
    }
  });
});

it('has the mechanisms that it names, and no other', () => {
  const users = new Users(new Map());
  for (const mechanism of MECHANISMS) expect(users.exchange(mechanism)).toBeDefined();
  expect(users.exchange('GSSAPI')).toBeUndefined();
});
