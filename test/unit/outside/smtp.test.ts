import { buffer } from 'node:stream/consumers';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSmtpMailer } from '../../../src/adapters/smtp/mailer.ts';
import type { Mail, Mailer } from '../../../src/ports/outside/mailer.ts';
import { closedPort } from '../../support/closed-port.ts';

/* A real SMTP server, which refuses what its addresses ask it to. */

const MAIL: Mail = {
  id: 'shop/alerts/P:5..6@7/1/low_stock',
  to: 'shop@example.org',
  subject: 'Low stock alert for Product P-567: only 1 item left!',
  text: 'On hand: 1\n.\nÜber.\n',
  at: Date.UTC(2026, 0, 2),
};

let server: SMTPServer;
let mailer: Mailer;
let mails: string[];

beforeEach(async () => {
  mails = [];
  await start({ authOptional: true });
});
afterEach(stop);

async function start(options: SMTPServerOptions): Promise<void> {
  server = new SMTPServer({
    disabledCommands: ['STARTTLS'],
    onRcptTo: ({ address }, _session, done) => {
      const code = /^(\d{3})@/.exec(address)?.[1];
      done(
        code === undefined
          ? null
          : Object.assign(new Error(`${code} as asked`), { responseCode: Number(code) }),
      );
    },
    onData: (stream, _session, done) => {
      void buffer(stream).then((bytes) => {
        const text = bytes.toString('utf8');
        mails.push(text);
        const code = /^Subject: (\d{3})/m.exec(text)?.[1];
        done(
          code === undefined ? null : Object.assign(new Error('as asked'), { responseCode: Number(code) }),
        );
      });
    },
    onAuth: (_auth, _session, done) =>
      done(Object.assign(new Error('wrong password'), { responseCode: 535 })),
    ...options,
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  mailer = open(port);
}

async function stop(): Promise<void> {
  mailer.close();
  await new Promise<void>((resolve) => server.close(resolve));
}

function open(port: number, credentials: { username: string; password: string } | null = null): Mailer {
  return createSmtpMailer({ url: `smtp://127.0.0.1:${port}`, credentials, from: 'orders@example.org' });
}

it('a mail arrives as it was written, and a second copy has the same Message-ID and date', async () => {
  expect(await mailer.send(MAIL)).toMatchObject({ kind: 'sent' });
  expect(await mailer.send(MAIL)).toMatchObject({ kind: 'sent' });
  const [first = '', second] = mails;
  expect(first).toContain('Message-ID: <shop%2Falerts%2FP%3A5%2e%2e6%407%2F1%2Flow_stock@orderctl>');
  expect(first).toContain('Date: Fri, 02 Jan 2026 00:00:00 +0000');
  expect(first).toContain('From: orders@example.org');
  expect(first).toContain('To: shop@example.org');
  expect(first).toContain(`Subject: ${MAIL.subject}`);
  expect(second).toBe(first);
});

it.each(['450', '451', '421'])('%s is a fault that passes', async (code) => {
  expect(await mailer.send({ ...MAIL, to: `${code}@example.org` })).toMatchObject({ kind: 'fault' });
  expect(await mailer.send(MAIL)).toMatchObject({ kind: 'sent' });
});

it.each(['550', '553'])('%s is for good', async (code) => {
  const refused = await mailer.send({ ...MAIL, to: `${code}@example.org` });
  expect(refused).toMatchObject({ kind: 'refused', detail: expect.stringContaining(code) as string });
});

it('content that is refused is refused for good, or not, by its code too', async () => {
  expect(await mailer.send({ ...MAIL, subject: '554 spam' })).toMatchObject({ kind: 'refused' });
  expect(await mailer.send({ ...MAIL, subject: '452 full' })).toMatchObject({ kind: 'fault' });
});

it('an address that is none is for good', async () => {
  expect(await mailer.send({ ...MAIL, to: 'nobody' })).toMatchObject({ kind: 'refused' });
});

it('a log-in that is refused is a fault: it is a setting', async () => {
  await stop();
  await start({ allowInsecureAuth: true });
  mailer.close();
  mailer = open((server.server.address() as AddressInfo).port, { username: 'shop', password: 'wrong' });
  expect(await mailer.send(MAIL)).toMatchObject({ kind: 'fault' });
});

it('a server that is away is a fault', async () => {
  mailer.close();
  mailer = open(await closedPort());
  expect(await mailer.send(MAIL)).toMatchObject({ kind: 'fault' });
});
