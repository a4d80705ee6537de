import type { ShopOptions } from '../../app/run/shop.ts';
import type { DeliveryWay, GatewayWay } from '../../compose.ts';
import { Failure } from '../../domain/failure.ts';
import type { Resolved, Settings } from './resolve.ts';
import { passwordWays } from './secrets.ts';
import type { SecretName } from './table.ts';
import { durationMs } from './values.ts';

/** The rules of the shop from the settings; reads no files of the shop. */
export function shopOf({
  events,
  lowStock,
  users,
  alerts,
  dispatch,
  dispatchDelay,
  gatewayRetries,
}: Settings): ShopOptions {
  const where = alertsOf(alerts);
  return {
    events: events ? { lowStock: Number(lowStock) } : null,
    users,
    delivery: {
      mail: where.kind === 'mail' ? { alertsTo: where.to } : null,
      webhook: where.kind === 'webhook',
    },
    payment: { pausesMs: gatewayRetries.split(',').map(durationMs) },
    dispatch: { way: dispatch, delayMs: durationMs(dispatchDelay) },
  };
}

/** @throws Failure invalid_settings: its token cannot be read */
export function gatewayOf(resolved: Resolved): GatewayWay {
  const { gateway } = resolved.settings;
  if (gateway === 'local') return { kind: 'local' };
  return { kind: 'http', url: gateway, token: secretOf(resolved, 'gateway_token') };
}

/** @throws Failure invalid_settings: a secret is missing */
export function deliveryOf(resolved: Resolved): DeliveryWay {
  const where = alertsOf(resolved.settings.alerts);
  if (where.kind === 'log') return where;
  if (where.kind === 'webhook') {
    const secret = secretOf(resolved, 'webhook_secret');
    if (secret === null) throw missing('the key that signs webhooks', 'ORDERCTL_WEBHOOK_SECRET');
    return { ...where, secret };
  }
  const { url, from, username } = where;
  if (username === '') return { kind: 'mail', url, from, credentials: null };
  const password = secretOf(resolved, 'smtp_password');
  if (password === null) throw missing('the password of the mail server', 'ORDERCTL_SMTP_PASSWORD');
  return { kind: 'mail', url, from, credentials: { username, password } };
}

type Place =
  | { readonly kind: 'log' }
  | { readonly kind: 'webhook'; readonly url: string }
  | {
      readonly kind: 'mail';
      readonly url: string;
      readonly username: string;
      readonly from: string;
      readonly to: string | null;
    };

/** @param text a value that the type ALERTS has accepted */
function alertsOf(text: string): Place {
  if (text === 'log') return { kind: 'log' };
  const { protocol, host, username, searchParams } = new URL(text);
  if (!protocol.startsWith('smtp')) return { kind: 'webhook', url: text };
  const from = searchParams.get('from') ?? '';
  return { kind: 'mail', url: `${protocol}//${host}`, username, from, to: searchParams.get('to') };
}

function secretOf(resolved: Resolved, name: SecretName): string | null {
  const { value } = resolved.secret(name);
  return typeof value === 'string' ? value : null;
}

function missing(what: string, variable: string): Failure {
  return new Failure('invalid_settings', `${what} is missing`, { fix: `set ${passwordWays(variable)}` });
}
