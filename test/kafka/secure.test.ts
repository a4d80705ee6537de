import fs from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ROLES, wantedRights } from '../../src/app/acl/wanted.ts';
import type { AccessRule } from '../../src/domain/access/rights.ts';
import { ADMIN, USERS } from '../../deploy/kafka/security.mjs';
import { failureOf, fill, finish } from '../support/cli.ts';
import { expectValidated } from '../support/documents.ts';
import { GROUP, SecureKafka, userOf } from '../support/secure-kafka.ts';
import { waitFor } from '../support/wait.ts';

/** A real Kafka with TLS, SCRAM and rules, and every principal of a shop on it. */

const TIMEOUT_MS = 240_000;
const COMMAND_MS = 120_000;
const SHOP = {
  names: new Map<string, string>(),
  group: GROUP,
  principal: 'User:{group}.{role}',
  hasEvents: true,
  isShared: false,
};

let kafka: SecureKafka;
beforeAll(async () => {
  kafka = await SecureKafka.start();
}, TIMEOUT_MS);
afterAll(() => kafka[Symbol.asyncDispose]());

test('the users of the secured Kafka are the roles of the catalogue', () => {
  expect([...USERS].sort()).toEqual(ROLES.map(userOf).sort());
});

describe('setup, and', { timeout: TIMEOUT_MS }, () => {
  // The others rest on it.
  test('gives each principal its rights', async () => {
    const { actions } = (await kafka.shopAs(ADMIN).json('setup --execute', {
      timeoutMs: COMMAND_MS,
    })) as unknown as {
      actions: { action: string; done: boolean }[];
    };
    expect(actions.filter(({ done }) => !done)).toEqual([]);
    const granted = actions.filter(({ action }) => action === 'grant');
    expect(granted.length).toBe(wantedRights(SHOP, ROLES).length);
  });

  test('a second one finds nothing to do; what is extra is shown, and removed when asked', async () => {
    const admin = kafka.shopAs(ADMIN);
    // The broker takes over what the controller has stored a moment later.
    await waitFor(
      'all rules',
      () => admin.json('acl apply'),
      ({ executed, actions }) => executed === false && (actions as unknown[]).length === 0,
    );
    const rule: AccessRule = {
      principal: 'User:orderctl.payment',
      resource: 'topic',
      pattern: 'prefixed',
      name: 'orders',
      operation: 'read',
      permission: 'allow',
      host: '*',
    };
    const { openBroker } = await import('../../src/compose.ts');
    const password = fs.readFileSync(kafka.passwordFile(ADMIN), 'utf8').trim();
    const broker = await openBroker(
      {
        brokers: [`127.0.0.1:${kafka.ports.clients}`],
        tls: { ca: path.join(kafka.folder, 'ca.pem'), cert: null, key: null },
        sasl: {
          mechanism: 'scram-sha-512',
          username: ADMIN,
          password: () => password,
          onNewPassword: () => undefined,
        },
      },
      () => undefined,
    );
    await using direct = await broker.admin();
    await direct.allow([rule]);
    const shown = await waitFor(
      'the rule',
      async () =>
        (await admin.json('acl show')) as unknown as { rules: { state: string }[]; actions: unknown[] },
      ({ rules }) => rules.some(({ state }) => state === 'extra'),
    );
    expect(shown.rules.filter(({ state }) => state !== 'granted')).toEqual([{ ...rule, state: 'extra' }]);
    expect(shown.actions).toEqual([]);
    expect(await admin.json('acl apply --remove-extra --execute')).toEqual({
      executed: true,
      actions: [{ action: 'revoke', ...rule, done: true }],
    });
    expectValidated('acl show');
    expectValidated('acl apply');
  });

  test('what is not allowed ends with 5 and says to whom it is to be allowed', async () => {
    const shop = kafka.shopAs(userOf('payment'));
    fill(shop, { alice: 'paid' }, { pen: 5 });
    for (const command of [
      'produce --user alice --item pen --quantity 1',
      'consume --until-end --no-create',
      'acl apply --execute',
      'run stock --until-end --no-create',
    ]) {
      const refused = await shop.run([...command.split(' '), '-o', 'json'], { timeoutMs: COMMAND_MS });
      expect(refused.code, `${command}: ${refused.stderr}`).toBe(5);
      expect(failureOf(refused), command).toMatchObject({ code: 'broker_refused' });
      expect(String(failureOf(refused).fix), command).toMatch(/ACL|acl/);
    }
  });

  test('a password that is changed during a run is read from its file again; another ends it with 5', async () => {
    const user = userOf('orders');
    const shop = kafka.shopAs(user);
    fill(shop, { alice: 'paid' }, { pen: 5 });
    const run = shop.start('consume --no-create --adopt');
    onTestFinished(() => run.signal('SIGKILL'));
    await shop.ok('produce --user alice --item pen --quantity 1 --order-id P-1', {
      env: kafka.as(userOf('api')),
    });
    await run.says(/accepted P-1/, COMMAND_MS);
    // The file first: until the brokers know it too, the one before is used.
    fs.writeFileSync(kafka.passwordFile(user), 'another-pass-phrase\n', { mode: 0o600 });
    await kafka.changePassword(user, 'another-pass-phrase');
    await run.says(/signed in to the brokers as orderctl\.orders with the new password/, COMMAND_MS);
    await shop.ok('produce --user alice --item pen --quantity 1 --order-id P-2', {
      env: kafka.as(userOf('api')),
    });
    await run.says(/accepted P-2/, COMMAND_MS);
    await kafka.changePassword(user, 'a-third-pass-phrase');
    const ended = await finish(run, 'consume', COMMAND_MS);
    expect(ended.code, ended.stderr).toBe(5);
    expect(ended.stderr).toMatch(/refused the credentials[^]*ORDERCTL_SASL_PASSWORD/);
    expect(ended.stdout + ended.stderr).not.toContain('pass-phrase');
  });
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
    const refused = await kafka.shopAs(ADMIN).run('topics show -o json', { env, timeoutMs: COMMAND_MS });
    expect(refused.code, refused.stderr).toBe(5);
    const failure = failureOf(refused);
    expect(failure.code).toBe('broker_refused');
    return failure as unknown as { message: string; fix: string };
  }
});
