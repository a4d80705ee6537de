import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startKafka } from '../../deploy/kafka/broker.mjs';
import { findJava, installJars } from '../../deploy/kafka/install.mjs';
import { makeCertificate, prepareSecurity } from '../../deploy/kafka/security.mjs';
import { freePort } from '../../deploy/kafka/services.mjs';

/** As `npm run kafka -- --secure` starts it, with two more ways in whose certificates are wrong. */
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
    return path.join(this.folder, `${user}.password`);
  }

  /** What orderctl is given to sign in. */
  as(user: string, port: keyof SecureKafka['ports'] = 'clients'): Record<string, string> {
    return {
      ORDERCTL_BROKERS: `127.0.0.1:${this.ports[port]}`,
      ORDERCTL_TLS_CA: path.join(this.folder, 'ca.pem'),
      ORDERCTL_SASL_MECHANISM: 'scram-sha-512',
      ORDERCTL_SASL_USERNAME: user,
      ORDERCTL_SASL_PASSWORD_FILE: this.passwordFile(user),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop();
  }
}
