import { once } from 'node:events';
import type { Command } from 'commander';
import type { Serving } from '../../documents/development.ts';
import { takeStopSignal } from '../exit.ts';
import { describe } from '../help.ts';
import { version, wayOut } from '../hints.ts';
import { checkAccess, LOOPBACK, tokenIn } from '../input/access.ts';
import { listenFailure } from '../input/listen.ts';
import { measureShop } from '../../app/metrics/shop.ts';
import { openMetrics } from '../metrics/open.ts';
import { portOf, wholeNumber } from '../parse.ts';
import type { Session } from '../session.ts';
import { tracerOf } from '../tracing/open.ts';
import { followShop } from '../serve/follow-shop.ts';
import { openShop } from '../serve/open-shop.ts';

const PORT = 8080;

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
      'Serves the HTTP API of the shop until Ctrl-C; "orderctl run" processes the orders, in another process. /docs is ' +
      'a page to try the API. Access from other machines needs --host and a token, sent as "Authorization: Bearer ' +
      'TOKEN".',
    examples: [
      ['orderctl serve', `serve on http://${LOOPBACK}:${PORT}`],
      ['orderctl serve --host 0.0.0.0 --api-token-file token', 'serve other machines'],
    ],
  })
    .option('--port <N>', 'port to listen on; 0: any free port', String(PORT))
    .option('--host <HOST>', 'address to listen on', LOOPBACK)
    .option('--rate-limit <N>', 'requests per minute from one address')
    .option('--api-token-file <FILE>', 'file whose first line is the token')
    .option('--insecure', 'serve other machines without a token')
    .option('--no-create', 'do not create the orders topic')
    .action(async (flags: Flags) => {
      await serve(session, flags);
    });
}

async function serve(session: Session, flags: Flags): Promise<void> {
  const { printer, isJson } = session;
  const port = portOf('--port', flags.port);
  const { host } = flags;
  const rateLimit =
    flags.rateLimit === undefined ? null : wholeNumber('--rate-limit', flags.rateLimit, { min: 1 });
  const token = flags.apiTokenFile === undefined ? null : tokenIn(flags.apiTokenFile);
  const danger = 'other machines could place orders and edit stock';
  checkAccess({ host, flag: '--host', token, isInsecure: flags.insecure === true, danger });
  const signal = takeStopSignal(printer);
  const opened = await openShop(session, flags.create, signal);
  const { shop, batchers, unread } = opened;
  const [{ startApi }, meter] = await Promise.all([import('../../http/server.ts'), openMetrics()]);
  const tracer = await tracerOf(session);
  measureShop(meter, opened.overview);
  const onBug = (error: unknown): void =>
    printer.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const api = await startApi(shop, {
    host,
    port,
    rateLimit,
    token,
    onBug,
    meter,
    tracer,
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
