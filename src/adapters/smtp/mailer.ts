import { createTransport } from 'nodemailer';
import type { Mail, Mailer, Sending } from '../../ports/outside/mailer.ts';

export interface SmtpOptions {
  /** `smtp://host:port` or `smtps://host:port`; no user and no password. */
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** The sender's address. */
  readonly from: string;
}

/** A busy server answers within seconds; RFC 5321, 4.5.3.2 allows minutes, which would delay all other mails. */
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECTIONS = 4;

/** Sends mail over SMTP, on a few connections that stay open. */
export function createSmtpMailer({ url, credentials, from }: SmtpOptions): Mailer {
  const { protocol, hostname, port } = new URL(url);
  const isSecure = protocol === 'smtps:';
  const transport = createTransport({
    pool: true,
    maxConnections: CONNECTIONS,
    host: hostname,
    port: port === '' ? (isSecure ? 465 : 25) : Number(port),
    secure: isSecure,
    ...(credentials === null ? {} : { auth: { user: credentials.username, pass: credentials.password } }),
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: ANSWER_TIMEOUT_MS,
    // The content comes from topics: it must not name files or addresses to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    send: async ({ id, to, subject, text, at }: Mail): Promise<Sending> => {
      try {
        const messageId = messageIdOf(id);
        const sent = await transport.sendMail({ from, to, subject, text, messageId, date: new Date(at) });
        return { kind: 'sent', detail: sent.response };
      } catch (error) {
        return outcomeOf(error);
      }
    },
    close: () => transport.close(),
  };
}

/** Dot-atoms (RFC 5322, 3.2.3) do not allow the colons that names and ids may contain, nor two dots in a row. */
function messageIdOf(id: string): string {
  const escaped = encodeURIComponent(id).replace(
    /[.()~!*']/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `<${escaped}@orderctl>`;
}

/** A 5yz answer about the recipient or the content is final (RFC 5321, 4.2.1); about the login, a setting is wrong. */
function outcomeOf(error: unknown): Sending {
  if (!(error instanceof Error)) return { kind: 'fault', detail: String(error) };
  const { code, responseCode } = error as Error & { code?: string; responseCode?: number };
  // Without an answer from the server, the address itself is invalid.
  const isRefused =
    (code === 'EENVELOPE' && (responseCode ?? 500) >= 500) ||
    (code === 'EMESSAGE' && (responseCode ?? 0) >= 500);
  return { kind: isRefused ? 'refused' : 'fault', detail: error.message };
}
