import type { IncomingMessage, RequestOptions } from 'node:http';

/*
 * One HTTP request with node:http: the global fetch takes 25 ms to load at each start of a command that sends or
 * reads orders. Redirects are followed as fetch does, as far as a registry behind a proxy needs it.
 */

const MAX_REDIRECTIONS = 5;

export interface HttpRequest {
  readonly method: string;
  readonly url: string;
  /** Not sent to another origin after a redirection. */
  readonly authorization: string | null;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** For the complete answer. */
  readonly timeoutMs: number;
  /** Most bytes of the answer to read. */
  readonly maxBytes: number;
}

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
  /** Whether the answer was longer than `maxBytes`. */
  readonly cut: boolean;
}

/** @throws Error from the network; DOMException TimeoutError */
export async function sendHttp(request: HttpRequest): Promise<HttpAnswer> {
  const signal = AbortSignal.timeout(request.timeoutMs);
  try {
    return await follow(request, signal);
  } catch (error) {
    // Node reports only that the request was aborted.
    throw signal.aborted ? signal.reason : error;
  }
}

async function follow(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
  let url = new URL(request.url);
  for (let left = MAX_REDIRECTIONS; ; left--) {
    const isOurs = url.origin === new URL(request.url).origin;
    const response = await open(url, isOurs ? request : { ...request, authorization: null }, signal);
    const { statusCode: status = 0 } = response;
    const { location } = response.headers;
    const isRedirected = request.method === 'GET' ? [301, 302, 303, 307, 308] : [307, 308];
    if (location === undefined || !isRedirected.includes(status)) {
      return { status, ...(await readBounded(response, request.maxBytes)) };
    }
    response.destroy();
    if (left === 0) throw new Error('too many redirects');
    url = new URL(location, url);
  }
}

async function open(
  url: URL,
  { method, headers, authorization, body }: HttpRequest,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new Error(`${url.protocol} is not HTTP`);
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const options: RequestOptions = {
    method,
    headers: {
      ...headers,
      ...(authorization === null ? {} : { authorization }),
      ...(body === null ? {} : { 'content-length': Buffer.byteLength(body) }),
    },
    // No keep-alive: requests are few, and a kept connection may be closed just as it is reused.
    agent: false,
    signal,
  };
  return new Promise((resolve, reject) => {
    request(url, options, resolve)
      .on('error', reject)
      .end(body ?? undefined);
  });
}

async function readBounded(
  response: IncomingMessage,
  maxBytes: number,
): Promise<{ text: string; cut: boolean }> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    sizeBytes += chunk.byteLength;
    // A long list of subjects need not be read completely: only its existence matters.
    if (sizeBytes > maxBytes) break;
    chunks.push(chunk);
  }
  return { text: Buffer.concat(chunks).toString('utf8'), cut: sizeBytes > maxBytes };
}
