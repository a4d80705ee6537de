const NUMBERS = new Intl.NumberFormat('en-US');

export function grouped(number: number): string {
  return NUMBERS.format(number);
}

/** A decimal string with two places: `64,246.80` */
export function money(amount: string): string {
  const [whole = '', rest = ''] = amount.split('.');
  return `${grouped(Number(whole))}.${rest}`;
}

/** `0.4 s ago`, `3 min ago` */
export function ago(at: number, now: number): string {
  const seconds = Math.max(0, now - at) / 1_000;
  if (seconds < 10) return `${seconds.toFixed(1)} s ago`;
  if (seconds < 100) return `${Math.round(seconds)} s ago`;
  return `${Math.round(seconds / 60)} min ago`;
}

/** `0.4 s`, `3.2 min` */
export function inSeconds(ms: number): string {
  const seconds = Math.max(0, ms) / 1_000;
  return seconds < 100 ? `${seconds.toFixed(1)} s` : `${(seconds / 60).toFixed(1)} min`;
}

/** `14:03:09` */
export function clock(iso: string | null): string {
  return iso === null ? '' : new Date(iso).toLocaleTimeString('en-GB');
}

/** `ORD-01a2…80b2`: ids differ at their ends. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-4)}`;
}

export function itemsInWords(
  items: readonly { readonly item: string; readonly quantity: number | null }[],
): string {
  return items.map(({ item, quantity }) => `${item} × ${quantity ?? '?'}`).join(', ');
}

/** The text in a field of the submitted form. */
export function fieldIn(event: SubmitEvent, name: string): string {
  const value = new FormData(event.currentTarget as HTMLFormElement).get(name);
  return typeof value === 'string' ? value.trim() : '';
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** `1 dead letter`, `1,204 dead letters` */
export function counted(number: number, noun: string): string {
  return `${grouped(number)} ${noun}${number === 1 ? '' : 's'}`;
}
