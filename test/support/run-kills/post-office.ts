import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** A mail server that takes every mail, and now and then says that it did not. */
export interface PostOffice {
  readonly port: number;
  /** Bytes of every copy that came, by Message-ID. */
  readonly mails: ReadonlyMap<string, readonly string[]>;
}

export async function openPostOffice(isDisowned: () => boolean): Promise<PostOffice> {
  const mails = new Map<string, string[]>();
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onData: (stream, _session, done) => {
      const take = (bytes: Buffer): void => {
        const text = bytes.toString('utf8');
        const id = /^Message-ID:\s+<(.+)@orderctl>/m.exec(text)?.[1] ?? 'none';
        mails.set(id, [...(mails.get(id) ?? []), text]);
        done(isDisowned() ? Object.assign(new Error('try again'), { responseCode: 451 }) : null);
      };
      // Who is killed in the middle of a mail has not sent it.
      buffer(stream).then(take, done);
    },
  });
  // Who is killed in the middle of a mail leaves a connection that breaks.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}
