/** A mail, which is the same each time it is sent. */
export interface Mail {
  /** Lets mailboxes recognise a second copy; any text, from which the Message-ID header is derived. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** The time for the Date header: milliseconds since the epoch. */
  readonly at: number;
}

/** The outcome of sending something to an external system. */
export type Sending =
  | { readonly kind: 'sent'; readonly detail: string }
  /** Permanently refused: another try would be refused again. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** Failed, but it may have arrived nevertheless. */
  | { readonly kind: 'fault'; readonly detail: string };

export interface Mailer {
  /** Never rejects for a fault of the mail server; bounded in time. */
  send(mail: Mail): Promise<Sending>;
  close(): void;
}
