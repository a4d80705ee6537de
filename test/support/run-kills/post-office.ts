import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { SMTPServer } from 'smtp-server';
import { onTestFinished } from 'vitest';

/** A mail server that accepts every mail, and sometimes does not confirm it. */
export interface PostOffice {
  readonly port: number;
  /** The bytes of every received copy, by Message-ID. */
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
      // A client killed in the middle of a mail has not sent it.
      buffer(stream).then(take, done);
    },
  });
  // A client killed in the middle of a mail leaves a broken connection.
  server.on('error', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => new Promise<void>((resolve) => server.close(() => resolve())));
  return { port: (server.server.address() as AddressInfo).port, mails };
}
