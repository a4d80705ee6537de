/** `1,234 rows`, `1 row` */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`;
}

/** `1,234` */
export function grouped(n: number): string {
  // Intl would load its tables for this.
  return String(n).replace(/\B(?=(\d{3})+(?!\d))/g, ',');
}

/** Control characters would speak to the terminal. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}+/gu, ' ');
}

/** `0.4 s`, `75 s`, `12 min` */
export function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}
