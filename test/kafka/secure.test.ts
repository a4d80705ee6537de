import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ROLES, type Role } from '../../src/app/acl/wanted.ts';
import { ADMIN, USERS } from '../../deploy/kafka/security.mjs';
import { failureOf, openShop, type Shop } from '../support/cli.ts';
import { SecureKafka } from '../support/secure-kafka.ts';

/** A real Kafka with TLS, SCRAM and rules: who is let in. */

const GROUP = 'orderctl';
const TIMEOUT_MS = 240_000;
const COMMAND_MS = 120_000;
const OF_THE_SHOP = { ORDERCTL_TOPIC: 'orders', ORDERCTL_GROUP: GROUP, ORDERCTL_EVENTS: 'true' };
const userOf = (role: Role): string => `${GROUP}.${role}`;

let kafka: SecureKafka;
beforeAll(async () => {
  kafka = await SecureKafka.start();
}, TIMEOUT_MS);
afterAll(() => kafka[Symbol.asyncDispose]());

/** A folder and the topics as the catalogue names them; commands run as `user`. */
function shopAs(user: string): Shop {
  return openShop({ ...kafka.as(user), ...OF_THE_SHOP });
}

test('the users of the secured Kafka are the roles of the catalogue', () => {
  expect([...USERS].sort()).toEqual(ROLES.map(userOf).sort());
});

describe('a connection is refused with 5, and says why', { timeout: TIMEOUT_MS }, () => {
  const other = path.resolve(import.meta.dirname, '../support/certificates/other-ca.pem');
  test.each([
    ['by another authority', () => ({ ORDERCTL_TLS_CA: other }), /certificate|issuer/, /--tls-ca/],
    ['for another name', () => kafka.as(ADMIN, 'stranger'), /127\.0\.0\.1/, /for the name in --brokers/],
    ['of yesterday', () => kafka.as(ADMIN, 'expired'), /expired/, /--tls-ca/],
  ])('a certificate %s', async (_, env, why, fix) => {
    const failure = await refusal(env());
    expect(failure.message).toMatch(why);
    expect(failure.fix).toMatch(fix);
  });

  test('a wrong password, and a user who is none', async () => {
    const file = path.join(kafka.folder, 'wrong.password');
    fs.writeFileSync(file, 'wrong\n', { mode: 0o600 });
    for (const env of [{ ORDERCTL_SASL_PASSWORD_FILE: file }, { ORDERCTL_SASL_USERNAME: 'nobody' }]) {
      const failure = await refusal(env);
      expect(failure.message).toMatch(/refused the credentials/);
      expect(failure.fix).toMatch(/ORDERCTL_SASL_PASSWORD/);
    }
  });

  async function refusal(env: Record<string, string>): Promise<{ message: string; fix: string }> {
    const refused = await shopAs(ADMIN).run('topics show -o json', { env, timeoutMs: COMMAND_MS });
    expect(refused.code, refused.stderr).toBe(5);
    const failure = failureOf(refused);
    expect(failure.code).toBe('broker_refused');
    return failure as unknown as { message: string; fix: string };
  }
});
