/** A mail as it is sent; sent again, it is the same one. */
export interface Mail {
  /** By which mailboxes recognise a second copy; any text, of which the header Message-ID is made. */
  readonly id: string;
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  /** Of its header Date: milliseconds since the epoch. */
  readonly at: number;
}

/** What sending something to the outside came to. */
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
