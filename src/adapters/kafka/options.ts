export interface KafkaOptions extends TimeLimits {
  /** `host:port` each; the first one that answers names the others. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** PEM texts; null means no TLS. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null;
  readonly sasl: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
    readonly username: string;
    /** Returns the current password, which may change while the program runs. */
    readonly password: () => string;
    /** Called when another password than before was accepted. */
    readonly onNewPassword?: () => void;
  } | null;
  /** Receives the client library's log messages, all at `debug`. */
  readonly onLog?: (level: 'debug', message: string, details: Readonly<Record<string, unknown>>) => void;
}

export interface TimeLimits {
  /** How long no broker may answer before broker_unreachable; 9 s by default. */
  readonly connectTimeoutMs?: number;
  /** Time for all requests of one admin; without it, each request has its own time. */
  readonly totalTimeoutMs?: number;
}
