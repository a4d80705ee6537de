/** The permanent answer to one request. */
export interface Entry {
  readonly kind: 'charge' | 'refund';
  readonly key: string;
  readonly order_id: string;
  readonly customer_id: string;
  /** A decimal string with two places. */
  readonly amount: string;
  readonly status: 'paid' | 'declined';
  readonly reference: string;
  readonly reason: string | null;
  /** ISO 8601. */
  readonly at: string;
}

/** Sums are decimal strings. */
export interface Totals {
  readonly charges: number;
  readonly charged: string;
  readonly refunds: number;
  readonly refunded: string;
  readonly declined: number;
  /** Orders charged twice, which must not happen. */
  readonly charged_twice: readonly string[];
  readonly refunded_twice: readonly string[];
}

/** The charges and refunds of the gateway. */
export class Books {
  readonly #entries: Entry[] = [];
  readonly #byKey = new Map<string, Entry>();

  add(entry: Entry): void {
    this.#entries.push(entry);
    if (!this.#byKey.has(entry.key)) this.#byKey.set(entry.key, entry);
  }

  /** The first answer for that key. */
  find(key: string): Entry | undefined {
    return this.#byKey.get(key);
  }

  get size(): number {
    return this.#entries.length;
  }

  totals(): Totals {
    const charges = this.#moved('charge');
    const refunds = this.#moved('refund');
    return {
      charges: charges.length,
      charged: sum(charges),
      refunds: refunds.length,
      refunded: sum(refunds),
      declined: this.#entries.filter(({ status }) => status === 'declined').length,
      charged_twice: twice(charges),
      refunded_twice: twice(refunds),
    };
  }

  #moved(kind: Entry['kind']): Entry[] {
    return this.#entries.filter((entry) => entry.kind === kind && entry.status === 'paid');
  }
}

function sum(entries: readonly Entry[]): string {
  const cents = entries.reduce((total, { amount }) => total + BigInt(amount.replace('.', '')), 0n);
  const digits = String(cents).padStart(3, '0');
  return `${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

function twice(entries: readonly Entry[]): string[] {
  const seen = new Set<string>();
  const again = new Set<string>();
  for (const { order_id } of entries) (seen.has(order_id) ? again : seen).add(order_id);
  return [...again];
}
