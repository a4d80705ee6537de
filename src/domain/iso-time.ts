import { GREATEST_TIME_MS } from './orders/order.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** A valid time. Text without a time zone is read as UTC. */
export interface IsoTime {
  /** Milliseconds since the epoch; smaller fractions are truncated. */
  readonly ms: number;
  readonly hasZone: boolean;
}

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt ](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,20}))?)?([Zz]|[+-]\d{2}(?::?\d{2})?)?)?$/;

/**
 * Parses an ISO 8601 date, with or without a time of day. Date.parse does not serve: it reads a time without a zone as
 * local time and turns 30 February into a day in March.
 *
 * @returns `unreadable`: not in this format; `unreal`: no such date or time exists
 */
export function parseIsoTime(text: string): IsoTime | 'unreadable' | 'unreal' {
  const match = FORM.exec(text);
  if (match === null) return 'unreadable';
  const [month, day] = [Number(match[2]), Number(match[3])];
  const [hour, minute, second] = [Number(match[4] ?? 0), Number(match[5] ?? 0), Number(match[6] ?? 0)];
  const fraction = match[7] ?? '';
  const zone = match[8];
  const date = new Date(0);
  // Date.UTC maps the years 0 to 99 to 1900 to 1999.
  date.setUTCFullYear(Number(match[1]), month - 1, day);
  const isDay = date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  const isEndOfDay = hour === 24 && minute === 0 && second === 0 && /^0*$/.test(fraction);
  const isTime = (hour < 24 && minute < 60 && second < 60) || isEndOfDay;
  const offset = zone === undefined ? 0 : zoneMinutes(zone);
  if (!isDay || !isTime || offset === null) return 'unreal';
  const seconds = (hour * 60 + minute - offset) * 60 + second;
  const ms = fraction === '' ? 0 : Number(fraction.slice(0, 3).padEnd(3, '0'));
  return { ms: date.getTime() + seconds * 1_000 + ms, hasZone: zone !== undefined };
}

/** Minutes east of UTC. */
function zoneMinutes(zone: string): number | null {
  if (zone.toUpperCase() === 'Z') return 0;
  const hours = Number(zone.slice(1, 3));
  const minutes = Number(zone.slice(3).replace(':', ''));
  if (hours > 23 || minutes > 59) return null;
  return (zone.startsWith('-') ? -1 : 1) * (hours * 60 + minutes);
}

let knownMs = NaN;
let knownText = '';

/** ISO 8601 in UTC with milliseconds. Times outside the range of a Date are clamped to it. */
export function isoTime(ms: number): string {
  // The edits of a file, and the decisions of a batch, all have the same time.
  if (ms !== knownMs) {
    const bounded = Number.isNaN(ms) ? 0 : Math.max(-GREATEST_TIME_MS, Math.min(GREATEST_TIME_MS, ms));
    knownText = new Date(bounded).toISOString();
    knownMs = ms;
  }
  return knownText;
}

/** isoTime for a time that may be unknown. */
export function isoTimeOrNull(ms: number | null | undefined): string | null {
  return ms === null || ms === undefined ? null : isoTime(ms);
}

/** isoTime without the fraction, for people. */
export function isoSeconds(ms: number): string {
  return isoTime(ms).replace(/\.\d+/, '');
}
