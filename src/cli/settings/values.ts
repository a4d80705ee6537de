import { Failure } from '../../domain/failure.ts';

export type SettingValue = string | boolean;

type SettingSource = 'flag' | 'environment' | 'file' | 'default' | 'implied';

export interface ResolvedSetting {
  readonly value: SettingValue | null;
  readonly source: SettingSource;
  /** The flag, the variable, the path of the file, or the implying setting; null for a default. */
  readonly from: string | null;
}

/** Shell completions of a value: words, or the kind of existing things to list. */
export type Completion =
  | readonly string[]
  | 'files'
  | 'topics'
  | 'messages'
  | 'processors'
  | 'processors_or_all'
  | 'groups'
  | 'event_sources'
  | 'users'
  | 'suppliers'
  | 'items'
  | 'orders';

/** The values that a setting accepts, from any source. */
export interface SettingType<Value extends SettingValue = SettingValue> {
  /**
   * Parses a value.
   *
   * @param where the source, for messages: `--topic`, `ORDERCTL_TOPIC`, `/x/orderctl.json: topic`
   * @throws Failure invalid_value
   */
  readonly read: (text: string, where: string) => Value;
  readonly completion?: Completion;
}

const SWITCH_WORDS: Readonly<Record<string, boolean>> = {
  '1': true,
  true: true,
  yes: true,
  '0': false,
  false: false,
  no: false,
};

export const SWITCH: SettingType<boolean> = {
  read: (text, where) => {
    const value = SWITCH_WORDS[text.toLowerCase()];
    if (value === undefined) throw bad(where, text, 'is neither true nor false', 'use true or false');
    return value;
  },
};

/** On if its variable is not empty (https://no-color.org). */
export const PRESENCE: SettingType<boolean> = { read: () => true };

export const TEXT: SettingType<string> = {
  read: (text, where) => {
    if (text === '') throw bad(where, text, 'is empty');
    if (/\p{Cc}/u.test(text)) throw bad(where, text, 'contains a control character');
    return text;
  },
};
export const GROUP: SettingType<string> = { ...TEXT, completion: 'groups' };
/** A relative path is relative to the working directory, or to the settings file that has it. */
export const PATH: SettingType<string> = { ...TEXT, completion: 'files' };
export const TOPIC: SettingType<string> = { read: checkTopicName, completion: 'topics' };
/** `MESSAGE=TOPIC,...`, normalised. */
export const TOPICS: SettingType<string> = { read: checkTopics };
/** A Kafka principal, which may have the placeholders {group} and {role}. */
export const PRINCIPAL: SettingType<string> = {
  read: (text, where) => {
    const unknown = /\{(?!(?:group|role)\})[^}]*\}?/.exec(text)?.[0];
    const fix = 'for example User:{group}.{role} or User:CN={role},O=shop';
    if (unknown !== undefined) throw bad(where, text, `has the unknown placeholder ${unknown}`, fix);
    if (!/^[A-Za-z]+:./.test(text)) throw bad(where, text, 'is not TYPE:NAME', fix);
    return text;
  },
};
/** Where alerts and notifications go: `log`, a mail server, or a webhook. */
export const ALERTS: SettingType<string> = {
  completion: ['log'],
  read: (text, where) => {
    const fix = 'use log, smtp://HOST:PORT?from=ADDRESS&to=ADDRESS, or https://HOST/PATH';
    if (text === 'log') return text;
    if (!URL.canParse(text)) throw bad(where, text, 'is not a destination for alerts', fix);
    const { protocol, password, searchParams } = new URL(text);
    const isMail = protocol === 'smtp:' || protocol === 'smtps:';
    if (!isMail && protocol !== 'http:' && protocol !== 'https:')
      throw bad(where, text, 'is not a destination for alerts', fix);
    if (password !== '')
      throw new Failure('invalid_value', `${where}: a password does not belong in a URL`, {
        fix: 'remove it and set ORDERCTL_SMTP_PASSWORD',
      });
    if (isMail && searchParams.get('from') === null)
      throw bad(where, text, 'has no sender address', 'add ?from=ADDRESS&to=ADDRESS');
    return text;
  },
};
/** A whole number, not negative, as text. */
export const WHOLE: SettingType<string> = {
  read: (text, where) => {
    if (!/^\d{1,9}$/.test(text))
      throw bad(where, text, 'is not a whole number from 0 to 999999999', 'for example 1');
    return String(Number(text));
  },
};
const UNIT_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `30m`, `20h`, `7d`, as text. */
export const DURATION: SettingType<string> = {
  read: (text, where) => {
    if (!/^\d{1,6}[smhd]$/.test(text)) throw bad(where, text, 'is not a duration', 'for example 30m or 20h');
    return text;
  },
};

/** Several durations, separated by commas. */
export const DURATIONS: SettingType<string> = {
  read: (text, where) =>
    text
      .split(',')
      .map((one) => DURATION.read(one.trim(), where))
      .join(','),
};

/** @param text a value that DURATION has accepted */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
}

export const BROKERS: SettingType<string> = { read: readBrokers };
export const URL_OF_REGISTRY: SettingType<string> = {
  read: (text, where) => readUrl(text, where, '--registry-username, and ORDERCTL_REGISTRY_PASSWORD'),
};
/** `local`, or the URL of a payment gateway. */
export const GATEWAY: SettingType<string> = {
  completion: ['local'],
  read: (text, where) => (text === 'local' ? text : readUrl(text, where, 'ORDERCTL_GATEWAY_TOKEN')),
};

export function oneOf<const Choice extends string>(choices: readonly Choice[]): SettingType<Choice> {
  return {
    completion: choices,
    read: (text, where) => {
      const value = choices.find((choice) => choice === text.toLowerCase());
      if (value === undefined) {
        throw bad(where, text, `is not one of ${choices.join(', ')}`, `for example ${choices[0] ?? ''}`);
      }
      return value;
    },
  };
}

function bad(where: string, text: string, what: string, fix?: string): Failure {
  const shown = text === '' ? 'the value' : JSON.stringify(text);
  return new Failure('invalid_value', `${where}: ${shown} ${what}`, fix === undefined ? {} : { fix });
}

/** Checks Kafka's rule for topic names. @throws Failure invalid_value */
export function checkTopicName(text: string, where: string): string {
  if (!/^[a-zA-Z0-9._-]{1,249}$/.test(text) || text === '.' || text === '..') {
    throw bad(
      where,
      text,
      'is not a topic name',
      'use letters, digits and . _ - (at most 249 characters, not . or ..)',
    );
  }
  return text;
}

/** The topics of these messages have settings of their own. */
const OWN_SETTINGS: Readonly<Record<string, string>> = { orders: '--topic', 'orders.dlq': '--dlq-topic' };

/** Does not check whether the messages exist: only some commands load the catalogue. @returns the normalised text */
function checkTopics(text: string, where: string): string {
  const named = new Map<string, string>();
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const [name = '', topic, ...rest] = pair.split('=').map((part) => part.trim());
    if (topic === undefined || rest.length > 0 || name === '')
      throw bad(where, pair, 'is not MESSAGE=TOPIC', 'for example orders.created=shop.orders');
    const own = OWN_SETTINGS[name];
    if (own !== undefined) throw bad(where, pair, `has its own setting`, `use ${own}`);
    checkTopicName(topic, where);
    if (named.has(name)) throw bad(where, text, `names ${name} twice`);
    if ([...named.values()].includes(topic)) throw bad(where, text, `gives ${topic} to two messages`);
    named.set(name, topic);
  }
  return [...named].map((pair) => pair.join('=')).join(',');
}

/** @param text a result of checkTopics */
export function parseTopics(text: string): Map<string, string> {
  return new Map(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=') as [string, string]),
  );
}

/** Converts an object, the natural form in JSON, to text. @returns any other value unchanged */
export function topicsText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .map(([name, topic]) => `${name}=${String(topic)}`)
    .join(',');
}

function readBrokers(text: string, where: string): string {
  const fix = 'use HOST:PORT, several separated by commas: kafka-1:9092,kafka-2:9092';
  // A value with an @ may contain a password, so the message does not repeat it.
  if (text.includes('@')) {
    throw new Failure('invalid_value', `${where}: the address of a broker cannot have a user or a password`, {
      fix: 'use --sasl-username, and ORDERCTL_SASL_PASSWORD in the environment',
    });
  }
  // The prefix of listeners in Kafka's configuration.
  const addresses = text.split(',').map((part) => part.trim().replace(/^PLAINTEXT:\/\//i, ''));
  for (const address of addresses) {
    const [, scheme, bare] = /^([a-z][a-z0-9_+.-]*):\/\/(.*)$/i.exec(address) ?? [];
    if (scheme !== undefined && bare !== undefined) {
      throw bad(
        where,
        address,
        'is not HOST:PORT',
        withoutScheme(scheme.toUpperCase(), bare.replace(/\/.*$/, '')),
      );
    }
    if (address.startsWith('[') || (address.match(/:/g)?.length ?? 0) > 1) {
      throw bad(
        where,
        address,
        'looks like an IPv6 address, which the Kafka client does not support',
        'use a host name',
      );
    }
    const match = /^([A-Za-z0-9._-]+):(\d{1,5})$/.exec(address);
    const port = Number(match?.[2]);
    if (match === null) throw bad(where, address, 'is not HOST:PORT', fix);
    if (port < 1 || port > 65_535) throw bad(where, address, 'has no port from 1 to 65535', fix);
  }
  return addresses.join(',');
}

function withoutScheme(scheme: string, bare: string): string {
  const ways = [
    ...(scheme.endsWith('SSL') ? ['--tls'] : []),
    ...(scheme.startsWith('SASL_') ? ['--sasl-mechanism and --sasl-username'] : []),
  ];
  return `use ${bare}${ways.length === 0 ? '' : `, with ${ways.join(', ')}`}`;
}

/** @param credentials the settings to use for user and password instead */
function readUrl(text: string, where: string, credentials: string): string {
  const fix = 'use an address such as http://127.0.0.1:8081';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new Failure('invalid_value', `${where}: the address cannot have a user or a password`, {
      fix: `use ${credentials} in the environment`,
    });
  }
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // A value that cannot be parsed may still contain a password.
    const shown = text.includes('@') ? '' : text;
    throw bad(where, shown, 'is not an http or https URL', fix);
  }
  if (url.search !== '' || url.hash !== '') {
    throw bad(where, text, 'has a query or a fragment, which such an address cannot have', fix);
  }
  return url.href.replace(/\/+$/, '');
}
