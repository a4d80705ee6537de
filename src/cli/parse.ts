import type { Command } from 'commander';
import type { Moment } from '../app/history/moment.ts';
import { Failure } from '../domain/failure.ts';
import { DAY_MS, HOUR_MS, parseIsoTime } from '../domain/iso-time.ts';
import { isName, NAME_RULE } from '../domain/names.ts';
import { isPrice, normalizePrice, USER_STATUSES, type UserStatus } from '../domain/tables.ts';

/** Node's timers do not support longer delays. */
const MAX_DELAY_SECONDS = 2_000_000;

const DURATION_MS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: HOUR_MS, d: DAY_MS };

function invalid(flag: string, text: string, what: string, fix: string): Failure {
  return new Failure('invalid_value', `${flag}: ${JSON.stringify(text)} is not ${what}`, { fix });
}

/** Parses digits and nothing else. @throws Failure invalid_value naming the flag and the value */
export function wholeNumber(
  flag: string,
  text: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER, example = Math.max(min, 5) } = {},
): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= min && value <= max)) {
    const isOpen = max === Number.MAX_SAFE_INTEGER && !(value > max);
    const range = isOpen ? `from ${min} up` : `from ${min} to ${max}`;
    throw invalid(flag, text, `a whole number ${range}`, `for example ${flag} ${example}`);
  }
  return value;
}

/** Parses `+20`, `-3` or `20`. @param fix an example that fits the flag @throws Failure invalid_value */
export function signedNumber(
  flag: string,
  text: string,
  fix = `for example ${flag} +20 or ${flag} -3`,
): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!Number.isSafeInteger(value)) {
    throw invalid(flag, text, 'a whole number', fix);
  }
  // −0 would be printed as -0.
  return value === 0 ? 0 : value;
}

const DELAY_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000 };

/** Seconds, fractions allowed, or with a unit: `100ms`, `2s`. @returns milliseconds @throws Failure invalid_value */
export function delay(flag: string, text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m)?$/.exec(text) ?? [];
  const value = (Number(amount) * (DELAY_MS[unit] ?? 0)) / 1_000;
  if (!(value <= MAX_DELAY_SECONDS)) {
    throw invalid(
      flag,
      text,
      `a number of seconds from 0 to ${MAX_DELAY_SECONDS}`,
      `for example ${flag} 0.5, or ${flag} 500ms`,
    );
  }
  return Math.round(value * 1000);
}

/** Parses a number above zero, fractions allowed. @throws Failure invalid_value */
export function decimalNumber(flag: string, text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value > 0 && value <= 1e6)) {
    throw invalid(flag, text, 'a number above 0, up to 1000000', `for example ${flag} 5`);
  }
  return value;
}

/** ISO 8601 with zone. @returns milliseconds since the epoch @throws Failure invalid_value */
export function timestamp(flag: string, text: string): number {
  const time = parseIsoTime(text);
  const fix = `for example ${flag} 2026-11-21T10:00:00Z, or …+01:00`;
  if (time === 'unreadable') throw invalid(flag, text, 'a time by ISO 8601', fix);
  if (time === 'unreal') throw invalid(flag, text, 'a time that exists', fix);
  if (time.hasZone) return time.ms;
  const whole = text.length === 10 ? `${text}T00:00:00Z` : `${text}Z`;
  throw new Failure('invalid_value', `${flag}: ${JSON.stringify(text)} has no time zone`, {
    fix: `add one: ${flag} ${whole} is UTC; +01:00 in place of Z is an hour east of it`,
  });
}

/** The flags that select by time. */
export interface TimeFlags {
  since?: string;
  until?: string;
  timeZone?: string;
}

/** Adds the flags that select by time to a command. @param what the event at that time, such as `decided` */
export function takingTimes(command: Command, what: string): Command {
  return command
    .option('--since <TIME>', `${what} at or after this time`)
    .option('--until <TIME>', `${what} before this time`)
    .option('--time-zone <NAME>', "time zone of a date (default: this machine's)");
}

/** Gives a command the flags that select decisions. */
export function takingDecisions(command: Command, limit = 'at most N'): Command {
  command
    .option('--user <NAME>', 'only orders of this user')
    .option('--item <NAME>', 'only orders with this item');
  return takingTimes(command, 'decided').option('--limit <N>', limit);
}

/** Adds the flag that shows a past state to a command. @param what it shows, such as `the stock` */
export function takingMoment(command: Command, what: string): Command {
  return command
    .option('--at <TIME|SEQ>', `${what} as of a time, or of a commit number`)
    .option('--time-zone <NAME>', "time zone of a date (default: this machine's)");
}

/**
 * A moment of history: a time as in `--since`, or the number of a commit (only digits).
 *
 * @throws Failure invalid_value
 */
export function momentOf(flag: string, text: string, timeZone: string | undefined, now: number): Moment {
  if (/^\d+$/.test(text)) return { kind: 'commit', seq: wholeNumber(flag, text, { min: 1 }) };
  return { kind: 'time', ms: pastTime(flag, text, timeZone, now) };
}

/** Like timeGiven, but not in the future. @returns milliseconds since the epoch @throws Failure invalid_value */
export function pastTime(flag: string, text: string, timeZone: string | undefined, now: number): number {
  const ms = timeGiven(flag, text, now, timeZone);
  if (ms > now) throw invalid(flag, text, 'a time in the past', 'give an earlier one');
  return ms;
}

/** `--since` (inclusive) and `--until` (exclusive); null: not given. @throws Failure invalid_value */
export function timeRange(
  { since, until, timeZone }: TimeFlags,
  now: number,
): { sinceMs: number | null; untilMs: number | null } {
  const sinceMs = since === undefined ? null : timeGiven('--since', since, now, timeZone);
  const untilMs = until === undefined ? null : timeGiven('--until', until, now, timeZone);
  if (sinceMs !== null && untilMs !== null && sinceMs >= untilMs) {
    throw new Failure('invalid_value', '--until is not after --since, so nothing can be in between', {
      fix: 'give a later --until',
    });
  }
  return { sinceMs, untilMs };
}

/** A date, `today` or `yesterday` (the default) as a day in a time zone. @throws Failure invalid_value */
export function dayOf(
  flag: string,
  text: string | undefined,
  { timeZone, now }: { readonly timeZone: string | undefined; readonly now: number },
): { date: string; timeZone: string; from: number; until: number } {
  const date = dayNamed(text ?? 'yesterday', now, timeZone) ?? text ?? '';
  const isDate = /^\d{4}-\d\d-\d\d$/.test(date);
  if (!isDate || parseIsoTime(date) === 'unreal') {
    const what = isDate ? 'a date that exists' : 'a date';
    throw invalid(flag, date, what, `for example ${flag} yesterday or 2026-11-21`);
  }
  const from = dateOrTime(flag, date, timeZone);
  const next = new Date(Date.parse(`${date}T00:00:00Z`) + DAY_MS).toISOString().slice(0, 10);
  const zone = timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone;
  return { date, timeZone: zone, from, until: dateOrTime(flag, next, timeZone) };
}

/** A time, a date, `today` or `yesterday`, or a time ago such as `2h`. @returns milliseconds since the epoch */
function timeGiven(flag: string, text: string, now: number, timeZone: string | undefined): number {
  return timeAgo(text, now) ?? dateOrTime(flag, dayNamed(text, now, timeZone) ?? text, timeZone);
}

/** The date of `today` or `yesterday`; undefined for any other text. */
function dayNamed(text: string, now: number, timeZone: string | undefined): string | undefined {
  const ago = ['today', 'yesterday'].indexOf(text);
  if (ago === -1) return undefined;
  const today = new Date(now + zoneOffsetMs(now, timeZone));
  return new Date(today.setUTCDate(today.getUTCDate() - ago)).toISOString().slice(0, 10);
}

/** A date without a time means its midnight. */
function dateOrTime(flag: string, text: string, timeZone: string | undefined): number {
  if (parseIsoTime(text) === 'unreadable') {
    throw invalid(
      flag,
      text,
      'a time',
      `for example ${flag} 2h, yesterday, 2026-11-21 or 2026-11-21T10:00:00Z`,
    );
  }
  if (!/^\d{4}-\d\d-\d\d$/.test(text) || parseIsoTime(text) === 'unreal') return timestamp(flag, text);
  const utc = Date.parse(`${text}T00:00:00Z`);
  // Try the offsets a day before and after: if the clocks change at this midnight, it occurs twice or not at all. The
  // day starts at the first moment that has its date.
  const offsetAt = (at: number): number => zoneOffsetMs(at, timeZone);
  const [before, after] = [utc - offsetAt(utc - DAY_MS), utc - offsetAt(utc + DAY_MS)];
  const first = Math.min(before, after);
  return first + offsetAt(first) >= utc ? first : Math.max(before, after);
}

/** How far a zone is ahead of UTC at a moment, in milliseconds. @throws Failure invalid_value */
function zoneOffsetMs(at: number, timeZone: string | undefined): number {
  const whole = Math.floor(at / 1_000) * 1_000;
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    }).formatToParts(whole);
    const part = (type: string): number => Number(parts.find((found) => found.type === type)?.value);
    const [year, month, day] = [part('year'), part('month'), part('day')];
    return Date.UTC(year, month - 1, day, part('hour'), part('minute'), part('second')) - whole;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw invalid('--time-zone', timeZone ?? '', 'a time zone', 'use a name such as Europe/Berlin, or UTC');
  }
}

/** Parses `90s`, `30m`, `2h`, `7d`. @returns the time that long ago, in milliseconds since the epoch, or undefined */
function timeAgo(text: string, now: number): number | undefined {
  const [, amount, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  return amount === undefined ? undefined : Math.max(0, now - Number(amount) * (DURATION_MS[unit] ?? 0));
}

/** Parses `12.5`. @returns the price with two decimal places @throws Failure invalid_value */
export function priceOf(flag: string, text: string): string {
  if (!isPrice(text)) throw invalid(flag, text, 'a price', `for example ${flag} 12.50`);
  return normalizePrice(text);
}

/** Parses `0,2`. @returns sorted, without duplicates @throws Failure invalid_value */
export function partitionList(flag: string, text: string): number[] {
  if (!/^\d{1,9}(,\d{1,9})*$/.test(text)) {
    throw invalid(flag, text, 'a list of partition numbers', `for example ${flag} 0,2`);
  }
  return [...new Set(text.split(',').map(Number))].sort((a, b) => a - b);
}

export type ResetPlace =
  (typeof RESET_WORDS)[number] | { offset: number } | { timestampMs: number } | { by: number };

/** What resetPlace takes as a word. */
export const RESET_WORDS = ['earliest', 'latest', 'current'] as const;

/**
 * Parses earliest, latest, current, an offset (only digits), a number of records from current (`+5`, `-5`), a time ago
 * (`90s`, `30m`, `2h`, `7d`), or a time.
 *
 * @param now milliseconds since the epoch
 * @throws Failure invalid_value
 */
export function resetPlace(flag: string, text: string, now: number): ResetPlace {
  const word = RESET_WORDS.find((one) => one === text);
  if (word !== undefined) return word;
  if (/^[+-]\d+$/.test(text)) return { by: signedNumber(flag, text) };
  if (/^\d+$/.test(text)) return { offset: wholeNumber(flag, text) };
  if (/^\d{4}-/.test(text)) return { timestampMs: timestamp(flag, text) };
  const timestampMs = timeAgo(text, now);
  if (timestampMs !== undefined) return { timestampMs };
  throw invalid(
    flag,
    text,
    'a place in the topic',
    'use earliest, latest, current, an offset such as 42, +5 or -5 records, 90s, 30m, 2h or 7d ago, or a time such as 2026-11-21T10:00:00Z',
  );
}

/** @throws Failure invalid_value */
export function portOf(flag: string, text: string): number {
  return wholeNumber(flag, text, { max: 65_535, example: 8080 });
}

/** @throws Failure invalid_value */
export function userStatus(flag: string, text: string): UserStatus {
  return choice(flag, text, 'a status', USER_STATUSES);
}

/** Parses one of a closed list. @param what its name, such as `a status` @throws Failure invalid_value */
export function choice<T extends string>(flag: string, text: string, what: string, choices: readonly T[]): T {
  const chosen = choices.find((candidate) => candidate === text);
  if (chosen === undefined)
    throw invalid(
      flag,
      text,
      what,
      choices.length > 3 ? `use one of ${choices.join(', ')}` : `use ${choices.join(' or ')}`,
    );
  return chosen;
}

/** A user, item or order id. @throws Failure invalid_value */
export function nameOf(flag: string, text: string): string {
  if (!isName(text)) throw invalid(flag, text, 'an allowed name', `use ${NAME_RULE}`);
  return text;
}
