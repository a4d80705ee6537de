/** A mail, the same each time that it is sent. */
export interface Mail {
  /** Identifies second copies to mailboxes; any text, from which the header Message-ID is made. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** For its header Date: milliseconds since the epoch. */
  readonly at: number;
}

/** The outcome of sending something to the outside. */
export type Sending =
  | { readonly kind: 'sent'; readonly detail: string }
  /** For good: another try of the same would be refused again. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** It may have arrived all the same. */
  | { readonly kind: 'fault'; readonly detail: string };

export interface Mailer {
  /** Never rejects for a fault of the other side; bounded in time. */
  send(mail: Mail): Promise<Sending>;
  close(): void;
}
