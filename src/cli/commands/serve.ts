import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { Serving } from '../../documents/development.ts';
import { Failure } from '../../domain/failure.ts';
import { errorCode } from '../error-code.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { version, wayOut } from '../hints.ts';
import { isLoopback, listenFailure } from '../input/listen.ts';
import { wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { followShop } from '../serve/follow-shop.ts';
import { openShop } from '../serve/open-shop.ts';

const PORT = 8080;
const LOOPBACK = '127.0.0.1';

interface Flags {
  readonly port: string;
  readonly host: string;
  readonly rateLimit?: string;
  readonly apiTokenFile?: string;
  readonly insecure?: true;
  readonly create: boolean;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Serves the HTTP API of the shop until Ctrl-C; "orderctl run" decides the orders, in another process. /docs is a ' +
      'page to try it. Access from other machines takes --host and a token, sent as "Authorization: Bearer TOKEN".',
    examples: [
      ['orderctl serve', `on http://${LOOPBACK}:${PORT}`],
      ['orderctl serve --host 0.0.0.0 --api-token-file token', 'for other machines'],
    ],
  })
    .option('--port <N>', '0 takes a free one', String(PORT))
    .option('--host <HOST>', 'address to listen on', LOOPBACK)
    .option('--rate-limit <N>', 'requests a minute from one address')
    .option('--api-token-file <FILE>', 'its first line is the token')
    .option('--insecure', 'other hosts without a token')
    .option('--no-create', 'do not create the topic of orders')
    .action(async (flags: Flags) => {
      await serve(session, flags);
    });
}

async function serve(session: Session, flags: Flags): Promise<void> {
  const { printer, isJson } = session;
  const port = wholeNumber('--port', flags.port, { max: 65_535 });
  const { host } = flags;
  const rateLimit =
    flags.rateLimit === undefined ? null : wholeNumber('--rate-limit', flags.rateLimit, { min: 1 });
  const token = flags.apiTokenFile === undefined ? null : tokenIn(flags.apiTokenFile);
  if (!isLoopback(host) && token === null && flags.insecure !== true) {
    throw new Failure('usage', `--host ${host}: other machines could place orders and edit stock`, {
      fix: 'ask for a token by --api-token-file FILE; or --insecure, where the network is trusted',
    });
  }
  const signal = takeStopSignal(printer);
  const opened = await openShop(session, flags.create, signal);
  const { shop, batchers, unread } = opened;
  const { startApi } = await import('../../http/server.ts');
  const onBug = (error: unknown): void =>
    printer.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const api = await startApi(shop, {
    ...{ host, port, rateLimit, token, onBug },
    version: version(),
    wayOut: (fix) => printer.rephrased(wayOut(fix)),
  }).catch((error: unknown) => {
    throw listenFailure(error, { host, port, flag: '--port' }) ?? error;
  });
  const following = followShop(opened, session.settings.topics, signal);
  const document: Serving = { url: api.url, docs: `${api.url}/docs`, pid: process.pid };
  await (isJson
    ? printer.data(`${JSON.stringify(document)}\n`)
    : printer.text(`${api.url}\nto try it: ${document.docs}\nCtrl-C stops it.\n`));
  try {
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), following]);
  } finally {
    await api[Symbol.asyncDispose]();
    for (const batcher of Object.values(batchers)) await batcher[Symbol.asyncDispose]();
    await unread[Symbol.asyncDispose]();
  }
  await following;
  printer.info('stopped');
}

/** The first line of a file. @throws Failure invalid_settings */
function tokenIn(file: string): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new Failure('invalid_settings', `--api-token-file: ${file} cannot be read (${errorCode(error)})`, {
      fix: 'name a file whose first line is the token',
      context: { file },
    });
  }
  const [token = ''] = text.split(/\r?\n/);
  if (/^[\x21-\x7e]{16,}$/.test(token)) return token;
  throw new Failure('invalid_settings', `--api-token-file: the first line of ${file} is not a token`, {
    fix: 'make one: openssl rand -hex 32 > FILE',
    context: { file },
  });
}
