import { createTransport } from 'nodemailer';
import type { Mail, Mailer, Sending } from '../../ports/outside/mailer.ts';

export interface SmtpOptions {
  /** `smtp://host:port` or `smtps://host:port`; no user and no password. */
  readonly url: string;
  readonly credentials: { readonly username: string; readonly password: string } | null;
  /** The address that mails come from. */
  readonly from: string;
}

/** A server that is busy answers within seconds; RFC 5321, 4.5.3.2 allows minutes, which would hold up all others. */
const CONNECT_TIMEOUT_MS = 10_000;
const ANSWER_TIMEOUT_MS = 30_000;
const CONNECTIONS = 4;

/** Sends mail by SMTP, over a few connections that stay open. */
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
    // What is sent comes from topics: it must not name files or addresses to be read.
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

/** Dot-atoms of RFC 5322, 3.2.3, allow neither what names and ids may hold, such as a colon, nor two dots in a row. */
function messageIdOf(id: string): string {
  const escaped = encodeURIComponent(id).replace(
    /[.()~!*']/g,
    (sign) => `%${sign.charCodeAt(0).toString(16)}`,
  );
  return `<${escaped}@orderctl>`;
}

/** 5yz of the recipient or the content is for good (RFC 5321, 4.2.1); of the log-in it is a setting, to be mended. */
function outcomeOf(error: unknown): Sending {
  if (!(error instanceof Error)) return { kind: 'fault', detail: String(error) };
  const { code, responseCode } = error as Error & { code?: string; responseCode?: number };
  // Without an answer of the server it is an address that cannot be one.
  const isRefused =
    (code === 'EENVELOPE' && (responseCode ?? 500) >= 500) ||
    (code === 'EMESSAGE' && (responseCode ?? 0) >= 500);
  return { kind: isRefused ? 'refused' : 'fault', detail: error.message };
}
