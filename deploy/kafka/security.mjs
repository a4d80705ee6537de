// @ts-check
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CannotStart } from './install.mjs';
import { HOST } from './services.mjs';

/**
 * The secrets of a secured cluster: a certificate authority of its own, a certificate for the brokers, and a password
 * for each user. Made once, by openssl, and kept in `folder`, which only its owner can read.
 *
 * @typedef {object} Security
 * @property {string} folder
 * @property {string} ca the certificate of the authority, PEM
 * @property {string} broker key and certificate of the brokers, PEM, by which they also recognise each other
 * @property {ReadonlyMap<string, string>} passwords by user
 */

/** May do everything: the user who runs Kafka, and who grants all other users their rights. */
export const ADMIN = 'admin';
/**
 * The principals for which `orderctl acl` plans rights when the group is named orderctl; a test compares them with the
 * catalogue.
 */
export const USERS = [
  'orders',
  'validation',
  'payment',
  'inventory',
  'warehouse',
  'notification',
  'delivery',
  'stock',
  'api',
  'shops',
  'tills',
  'suppliers',
  'connect',
  'operator',
].map((name) => `orderctl.${name}`);

const BROKER = 'orderctl-broker';
const DAYS = 3650;

/**
 * @param {string} folder
 * @returns {Security}
 * @throws {CannotStart} 3 without openssl, 1 when it fails
 */
export function prepareSecurity(folder) {
  const root = resolve(folder);
  mkdirSync(root, { recursive: true, mode: 0o700 });
  chmodSync(root, 0o700);
  const ca = join(root, 'ca.pem');
  const broker = join(root, 'broker.pem');
  if (!existsSync(ca)) makeAuthority(root);
  if (!existsSync(broker)) makeCertificate(root, { file: broker, name: BROKER });
  const passwords = new Map(
    [ADMIN, ...USERS].map((user) => {
      const file = passwordFile(root, user);
      if (!existsSync(file)) writeSecret(file, `${randomBytes(24).toString('base64url')}\n`);
      return [user, readFileSync(file, 'utf8').trim()];
    }),
  );
  for (const [user, password] of passwords) {
    writeSecret(join(root, `${user}.properties`), clientProperties({ ca, user, password }));
  }
  return { folder: root, ca, broker, passwords };
}

/**
 * Settings with which one of Kafka's own clients signs in: for `--command-config` of its tools, and for Connect.
 *
 * @param {{ca: string, user: string, password: string}} options
 */
function clientProperties({ ca, user, password }) {
  return `security.protocol=SASL_SSL
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
sasl.mechanism=SCRAM-SHA-512
sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required username="${user}" password="${password}";
`;
}

/**
 * @param {string} root
 * @param {string} user
 */
const passwordFile = (root, user) => join(root, `${user}.password`);

/**
 * Writes an orderctl.json for each user, for --config.
 *
 * @param {Security} security
 * @param {{brokers: string, registry: string}} addresses
 */
export function writeConfigs({ folder, passwords }, { brokers, registry }) {
  for (const user of passwords.keys()) {
    const settings = {
      brokers,
      registry,
      tls_ca: 'ca.pem',
      sasl_mechanism: 'scram-sha-512',
      sasl_username: user,
    };
    writeSecret(join(folder, `${user}.json`), `${JSON.stringify(settings, null, 2)}\n`);
  }
}

/**
 * @param {string} file
 * @param {string} text
 */
function writeSecret(file, text) {
  writeFileSync(file, text, { mode: 0o600 });
  chmodSync(file, 0o600);
}

/** @param {string} root */
function makeAuthority(root) {
  const key = join(root, 'ca-key.pem');
  makeKey(key);
  // The certificate is written last: once it exists, the authority is complete.
  openssl([
    'req',
    '-x509',
    '-new',
    '-key',
    key,
    '-days',
    String(DAYS),
    '-subj',
    '/CN=orderctl development CA',
    '-addext',
    'keyUsage=critical,keyCertSign,cRLSign',
    '-out',
    join(root, 'ca.pem'),
  ]);
}

/**
 * A key with a certificate by the authority in `root`, in one PEM file as Kafka reads them.
 *
 * @param {string} root
 * @param {{file: string, name: string, subject?: string, days?: number}} options `subject`: subjectAltName, by
 *   default this machine; `days`: how long it is valid, negative for an expired one
 */
export function makeCertificate(root, options) {
  const { file, name, subject = `IP:${HOST},DNS:localhost`, days = DAYS } = options;
  const part = (/** @type {string} */ what) => `${file}.${what}`;
  makeKey(part('key'));
  writeFileSync(
    part('extensions'),
    `subjectAltName=${subject}\nextendedKeyUsage=serverAuth,clientAuth\nbasicConstraints=CA:FALSE\n`,
  );
  openssl(['req', '-new', '-key', part('key'), '-subj', `/CN=${name}`, '-out', part('request')]);
  openssl([
    'x509',
    '-req',
    '-in',
    part('request'),
    '-days',
    String(days),
    '-extfile',
    part('extensions'),
    '-CA',
    join(root, 'ca.pem'),
    '-CAkey',
    join(root, 'ca-key.pem'),
    '-set_serial',
    `0x${randomBytes(8).toString('hex')}`,
    '-out',
    part('certificate'),
  ]);
  const texts = ['key', 'certificate'].map((what) => readFileSync(part(what), 'utf8'));
  for (const what of ['key', 'extensions', 'request', 'certificate']) rmSync(part(what));
  writeSecret(file, texts.join(''));
}

/** @param {string} file */
function makeKey(file) {
  writeSecret(file, '');
  openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', file]);
}

/** @param {string[]} args */
function openssl(args) {
  const { error, status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' });
  if (error !== undefined) {
    throw new CannotStart(
      'openssl is needed to make the certificates, but it cannot be run: install it and try again',
      3,
    );
  }
  if (status !== 0) throw new CannotStart(`openssl ${args[0] ?? ''} failed:\n${stderr}`, 1);
}

/**
 * Options of `kafka-storage format` that give the users their passwords.
 *
 * @param {Security} security
 */
export function scramOptions({ passwords }) {
  return [...passwords].flatMap(([user, password]) => [
    '--add-scram',
    `SCRAM-SHA-512=[name=${user},password=${password}]`,
  ]);
}

/**
 * Lines of server.properties: clients sign in by SCRAM over TLS, nodes recognise each other by their certificate, and a
 * principal that no rule names may do nothing.
 *
 * @param {Security} security
 */
export function securityProperties({ ca, broker }) {
  return `ssl.keystore.type=PEM
ssl.keystore.location=${broker}
ssl.truststore.type=PEM
ssl.truststore.location=${ca}
listener.name.peers.ssl.client.auth=required
listener.name.controller.ssl.client.auth=required
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.clients.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
# Connected clients must sign in again within a minute, so that a changed password takes effect.
listener.name.clients.scram-sha-512.connections.max.reauth.ms=60000
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:CN=${BROKER};User:${ADMIN}
allow.everyone.if.no.acl.found=false
`;
}
