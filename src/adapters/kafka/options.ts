export interface KafkaOptions extends TimeLimits {
  /** `host:port` each; the first that answers tells of the others. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** PEM texts; null speaks in the clear. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    /** As it is now: it may be changed while the program runs. */
    readonly password: () => string;
    /** Another password than before was accepted. */
    readonly onNewPassword?: () => void;
  } | null;
  /** What the client library says, all of it at `debug`. */
  readonly onLog?: (level: 'debug', message: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface TimeLimits {
  /** How long nobody may answer before it is broker_unreachable; 9 s unless it is set. */
  readonly connectTimeoutMs?: number;
  /** How long all may take that is asked of one admin; without it, each question has its own time. */
  readonly totalTimeoutMs?: number;
}
