import { Failure, isFailure } from '../../domain/failure.ts';
import type { BrokerConnection, RegistryConnection } from '../../compose.ts';
import type { Resolved } from '../settings/resolve.ts';
import { passwordWays } from '../settings/secrets.ts';

/**
 * The connection to the brokers. Settings that depend on each other are checked only here, since a command that uses
 * no broker needs no password.
 *
 * @param report prints that a changed password is used
 * @throws Failure invalid_settings
 */
export function brokerConnection(
  resolved: Resolved,
  report: (line: string) => void = () => undefined,
): BrokerConnection {
  const { settings } = resolved;
  if ((settings.tlsCert === null) !== (settings.tlsKey === null)) {
    throw new Failure('invalid_settings', 'a client certificate needs both --tls-cert and --tls-key', {
      fix: `add ${settings.tlsCert === null ? '--tls-cert' : '--tls-key'}`,
    });
  }
  return {
    brokers: settings.brokers.split(','),
    tls: settings.tls ? { ca: settings.tlsCa, cert: settings.tlsCert, key: settings.tlsKey } : null,
    sasl: saslOf(resolved, report),
  };
}

function saslOf(resolved: Resolved, report: (line: string) => void): BrokerConnection['sasl'] {
  const { saslMechanism: mechanism, saslUsername: username } = resolved.settings;
  const password = secretText(resolved, 'sasl_password');
  if (mechanism === null && username === null && password === null) return null;
  const missing = (what: string, fix: string): Failure =>
    new Failure(
      'invalid_settings',
      `signing in to the brokers needs a mechanism, a user and a password: ${what} is missing`,
      { fix },
    );
  if (username === null) throw missing('the user', 'add --sasl-username');
  if (password === null) throw missing('the password', `set ${passwordWays('ORDERCTL_SASL_PASSWORD')}`);
  if (mechanism === null)
    throw missing('the mechanism', 'add --sasl-mechanism plain, scram-sha-256 or scram-sha-512');
  return {
    mechanism,
    username,
    // Read from its file again for each connection, so that a changed password is used.
    password: () => secretNow(resolved) ?? password,
    onNewPassword: () => report(`signed in to the brokers as ${username} with the new password`),
  };
}

/** null: the password cannot be read, for example while its file is being written. */
function secretNow(resolved: Resolved): string | null {
  try {
    return secretText(resolved, 'sasl_password');
  } catch (error) {
    if (isFailure(error, 'invalid_settings')) return null;
    throw error;
  }
}

/** @throws Failure invalid_settings */
export function registryConnection(resolved: Resolved): RegistryConnection {
  const username = resolved.settings.registryUsername;
  const password = secretText(resolved, 'registry_password');
  if ((username === null) !== (password === null)) {
    throw new Failure('invalid_settings', 'signing in to the registry needs a user and a password together', {
      fix:
        username === null ? 'add --registry-username' : `set ${passwordWays('ORDERCTL_REGISTRY_PASSWORD')}`,
    });
  }
  return {
    url: resolved.settings.registry,
    credentials: username === null || password === null ? null : { username, password },
  };
}

function secretText(resolved: Resolved, name: 'sasl_password' | 'registry_password'): string | null {
  const { value } = resolved.secret(name);
  return typeof value === 'string' ? value : null;
}
