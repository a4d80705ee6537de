import { Failure } from '../../domain/failure.ts';

export type SettingValue = string | boolean;

type SettingSource = 'flag' | 'environment' | 'file' | 'default' | 'implied';

export interface ResolvedSetting {
  readonly value: SettingValue | null;
  readonly source: SettingSource;
  /** The flag, the variable, the path of the file, the implying setting; null for a default. */
  readonly from: string | null;
}

/** What the shell offers for a value: words, or where to look for them. */
export type Completion =
  | readonly string[]
  | 'files'
  | 'topics'
  | 'messages'
  | 'processors'
  | 'groups'
  | 'users'
  | 'suppliers'
  | 'items'
  | 'orders';

/** What a setting may be, whichever of its places it comes from. */
export interface SettingType<Value extends SettingValue = SettingValue> {
  /**
   * Reads a value that was given as text.
   *
   * @param where how the place is called in a message: `--topic`, `ORDERCTL_TOPIC`, `/x/orderctl.json: topic`
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

/** On when its variable holds anything at all (https://no-color.org). */
export const PRESENCE: SettingType<boolean> = { read: () => true };

export const TEXT: SettingType<string> = {
  read: (text, where) => {
    if (text === '') throw bad(where, text, 'is empty');
    if (/\p{Cc}/u.test(text)) throw bad(where, text, 'contains a control character');
    return text;
  },
};
export const GROUP: SettingType<string> = { ...TEXT, completion: 'groups' };
/** A relative one is relative to the place that it comes from. */
export const PATH: SettingType<string> = { ...TEXT, completion: 'files' };
export const TOPIC: SettingType<string> = { read: checkTopicName, completion: 'topics' };
/** `MESSAGE=TOPIC,...` in one form. */
export const TOPICS: SettingType<string> = { read: checkTopics };
/** Who signs in at the brokers, by Kafka's name for it. */
export const PRINCIPAL: SettingType<string> = {
  read: (text, where) => {
    const unknown = /\{(?!(?:group|role)\})[^}]*\}?/.exec(text)?.[0];
    const fix = 'for example User:{group}.{role} or User:CN={role},O=shop';
    if (unknown !== undefined) throw bad(where, text, `has ${unknown}, which stands for nothing`, fix);
    if (!/^[A-Za-z]+:./.test(text)) throw bad(where, text, 'is not TYPE:NAME', fix);
    return text;
  },
};
/** Where alerts and notifications go: `log`, a mail server, or a webhook. */
export const ALERTS: SettingType<string> = {
  completion: ['log'],
  read: (text, where) => {
    const way = 'use log, smtp://HOST:PORT?from=ADDRESS&to=ADDRESS, or https://HOST/PATH';
    if (text === 'log') return text;
    if (!URL.canParse(text)) throw bad(where, text, 'is not a place for alerts', way);
    const { protocol, password, searchParams } = new URL(text);
    const isMail = protocol === 'smtp:' || protocol === 'smtps:';
    if (!isMail && protocol !== 'http:' && protocol !== 'https:')
      throw bad(where, text, 'is not a place for alerts', way);
    if (password !== '')
      throw new Failure('invalid_value', `${where}: a password does not belong in a URL`, {
        fix: 'remove it and set ORDERCTL_SMTP_PASSWORD',
      });
    if (isMail && searchParams.get('from') === null)
      throw bad(where, text, 'does not say who mails come from', 'add ?from=ADDRESS&to=ADDRESS');
    return text;
  },
};
/** A whole number from 0 on, as text. */
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
    if (!/^\d{1,6}[smhd]$/.test(text))
      throw bad(where, text, 'is not a length of time', 'for example 30m or 20h');
    return text;
  },
};

/** Several, with commas between. */
export const DURATIONS: SettingType<string> = {
  read: (text, where) =>
    text
      .split(',')
      .map((one) => DURATION.read(one.trim(), where))
      .join(','),
};

/** @param text as DURATION allows it */
export function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * (UNIT_MS[text.slice(-1)] ?? 0);
}

export const BROKERS: SettingType<string> = { read: readBrokers };
export const URL_OF_REGISTRY: SettingType<string> = {
  read: (text, where) => readUrl(text, where, '--registry-username, and ORDERCTL_REGISTRY_PASSWORD'),
};
/** `local`, or the address of a payment gateway. */
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

/** Kafka's own rule. @throws Failure invalid_value */
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

/** Topics of these have settings of their own. */
const OWN_SETTINGS: Readonly<Record<string, string>> = { orders: '--topic', 'orders.dlq': '--dlq-topic' };

/** Which messages there are is left to the commands that know them. @returns the text, in one form */
function checkTopics(text: string, where: string): string {
  const named = new Map<string, string>();
  for (const pair of text.split(',').map((part) => part.trim())) {
    if (pair === '') continue;
    const [name = '', topic, ...rest] = pair.split('=').map((part) => part.trim());
    if (topic === undefined || rest.length > 0 || name === '')
      throw bad(where, pair, 'is not MESSAGE=TOPIC', 'for example orders.created=shop.orders');
    const own = OWN_SETTINGS[name];
    if (own !== undefined) throw bad(where, pair, `has a setting of its own`, `use ${own}`);
    checkTopicName(topic, where);
    if (named.has(name)) throw bad(where, text, `names ${name} twice`);
    if ([...named.values()].includes(topic)) throw bad(where, text, `gives ${topic} to two messages`);
    named.set(name, topic);
  }
  return [...named].map((pair) => pair.join('=')).join(',');
}

/** @param text as checkTopics returns it */
export function parseTopics(text: string): Map<string, string> {
  return new Map(
    text
      .split(',')
      .filter((pair) => pair !== '')
      .map((pair) => pair.split('=') as [string, string]),
  );
}

/** An object is the natural form in JSON. @returns anything else as it is */
export function topicsText(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.entries(value)
    .map(([name, topic]) => `${name}=${String(topic)}`)
    .join(',');
}

function readBrokers(text: string, where: string): string {
  const fix = 'give HOST:PORT, several with commas between: kafka-1:9092,kafka-2:9092';
  // A value with an @ may hold a password, so it is not repeated in the message.
  if (text.includes('@')) {
    throw new Failure('invalid_value', `${where}: a broker's address has no user or password`, {
      fix: 'use --sasl-username, and ORDERCTL_SASL_PASSWORD in the environment',
    });
  }
  // As listeners are written in Kafka's own settings.
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
        'looks like an IPv6 address, which the Kafka client cannot take',
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
  return `give ${bare}${ways.length === 0 ? '' : `, with ${ways.join(', ')}`}`;
}

/** @param credentials where those belong */
function readUrl(text: string, where: string, credentials: string): string {
  const fix = 'give an address such as http://127.0.0.1:8081';
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && (url.username !== '' || url.password !== '')) {
    throw new Failure('invalid_value', `${where}: the address must not hold a user or a password`, {
      fix: `use ${credentials} in the environment`,
    });
  }
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    // What does not parse may still hold a password.
    const shown = text.includes('@') ? '' : text;
    throw bad(where, shown, 'is not an http or https URL', fix);
  }
  if (url.search !== '' || url.hash !== '') {
    throw bad(where, text, 'has a query or a fragment, which such an address cannot have', fix);
  }
  return url.href.replace(/\/+$/, '');
}
