import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startKafka } from '../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { ADMIN, makeCertificate, prepareSecurity } from '../../deploy/kafka/security.mjs';
import { freePort } from '../../deploy/kafka/services.mjs';
import { KafkaClient } from '../../src/adapters/kafka/protocol/client.ts';
import type { Role } from '../../src/app/acl/wanted.ts';
import { finish, observe, openShop, type Shop } from './cli.ts';

const TOOL = path.resolve(import.meta.dirname, '../../deploy/kafka/kafka.mjs');
/**
 * The length of a SCRAM session: a changed password takes effect after it. kafkajs signs in again ten seconds earlier.
 */
const SESSION_MS = 20_000;

const passwordFile = (folder: string, user: string): string => path.join(folder, `${user}.password`);

/** The shop whose users the secured Kafka has. */
export const GROUP = 'orderctl';
export const userOf = (role: Role): string => `${GROUP}.${role}`;

/** orderctl's settings for signing in to brokers that were made with `prepareSecurity(folder)`. */
export function signIn(folder: string, user: string, brokers: string): Record<string, string> {
  return {
    ORDERCTL_BROKERS: brokers,
    ORDERCTL_TLS_CA: path.join(folder, 'ca.pem'),
    ORDERCTL_SASL_MECHANISM: 'scram-sha-512',
    ORDERCTL_SASL_USERNAME: user,
    ORDERCTL_SASL_PASSWORD_FILE: passwordFile(folder, user),
  };
}

/** The same for a test's own requests. */
export function clientOf(folder: string, user: string, brokers: string): KafkaClient {
  return new KafkaClient({
    brokers: brokers.split(','),
    clientId: 'by a test',
    tls: { ca: fs.readFileSync(path.join(folder, 'ca.pem'), 'utf8') },
    sasl: {
      mechanism: 'scram-sha-512',
      username: user,
      password: () => fs.readFileSync(passwordFile(folder, user), 'utf8').trim(),
    },
  });
}

/** As `npm run kafka -- --secure` starts it, with two more listeners whose certificates are wrong. */
export class SecureKafka implements AsyncDisposable {
  readonly folder: string;
  readonly ports: Readonly<Record<'clients' | 'stranger' | 'expired', number>>;
  readonly #stop: () => Promise<void>;

  private constructor(folder: string, ports: SecureKafka['ports'], stop: () => Promise<void>) {
    this.folder = folder;
    this.ports = ports;
    this.#stop = stop;
  }

  static async start(): Promise<SecureKafka> {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-secure-'));
    const security = prepareSecurity(folder);
    const [clients, stranger, expired] = [await freePort(), await freePort(), await freePort()];
    const extra = [
      { name: 'STRANGER', port: stranger, options: { subject: 'DNS:elsewhere.example' } },
      { name: 'EXPIRED', port: expired, options: { days: -1 } },
    ].map(({ name, port, options }) => {
      const file = path.join(folder, `${name}.pem`);
      makeCertificate(folder, { file, name, ...options });
      const of = `listener.name.${name.toLowerCase()}`;
      const properties = `${of}.ssl.keystore.type=PEM
${of}.ssl.keystore.location=${file}
${of}.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.clients.scram-sha-512.connections.max.reauth.ms=${SESSION_MS}
`;
      return { name, port, protocol: 'SASL_SSL' as const, properties };
    });
    const installation = { java: findJava(), jars: await installJars(() => undefined) };
    const service = await startKafka(installation, { folder, port: clients, security, extra });
    return new SecureKafka(folder, { clients, stranger, expired }, async () => {
      service.signal('SIGKILL');
      await service.exited;
      fs.rmSync(folder, { recursive: true, force: true });
    });
  }

  passwordFile(user: string): string {
    return passwordFile(this.folder, user);
  }

  /** orderctl's settings for signing in. */
  as(user: string, port: keyof SecureKafka['ports'] = 'clients'): Record<string, string> {
    return signIn(this.folder, user, `127.0.0.1:${this.ports[port]}`);
  }

  /** A folder, or the store in `settings`, and the topics with their names in the catalogue; commands run as `user`. */
  shopAs(user: string, settings: Readonly<Record<string, string>> = {}): Shop {
    const ofTheShop = { ORDERCTL_TOPIC: 'orders', ORDERCTL_GROUP: GROUP, ORDERCTL_EVENTS: 'true' };
    return openShop({ ...this.as(user), ...ofTheShop, ...settings });
  }

  clientOf(user: string): KafkaClient {
    return clientOf(this.folder, user, `127.0.0.1:${this.ports.clients}`);
  }

  /** Changes only the brokers, with Kafka's own tool. */
  async changePassword(user: string, password: string): Promise<void> {
    const args = [
      'tool',
      'configs',
      '--bootstrap-server',
      `127.0.0.1:${this.ports.clients}`,

      '--command-config',
      path.join(this.folder, `${ADMIN}.properties`),
      '--alter',
      '--entity-type',
      'users',
      '--entity-name',
      user,
      '--add-config',
      `SCRAM-SHA-512=[password=${password}]`,
    ];
    const tool = observe(spawn(process.execPath, [TOOL, ...args]), 'kafka-configs');
    const { code, stderr } = await finish(tool, 'kafka-configs', 120_000);
    if (code !== 0) throw new Error(stderr);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
