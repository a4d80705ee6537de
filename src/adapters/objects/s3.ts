import { AwsClient } from 'aws4fetch';
import { Failure } from '../../domain/failure.ts';
import type { Objects } from '../../ports/outside/objects.ts';

/**
 * How to reach a bucket: Amazon S3, Google Cloud Storage through its S3-compatible API, or any server that speaks S3.
 */
export interface BucketConnection {
  /** `s3://bucket/folder` or `gs://bucket/folder`, as it was given. */
  readonly url: string;
  /** null: the provider's. */
  readonly endpoint: string | null;
  readonly region: string | null;
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken: string | null;
  };
}

const TIMEOUT_MS = 30_000;
/** How often a request is retried after a 5xx answer, with growing pauses. */
const RETRIES = 4;
/** How often a put is tried when another process changes the file at the same time. */
const ROUNDS = 3;

/**
 * Objects in a bucket. A file is replaced only if it has not changed since it was compared (`If-Match`,
 * `If-None-Match`). Google's API does not support these headers on a PUT: there, the later of two writes wins.
 */
export function createBucketObjects(connection: BucketConnection): Objects {
  const { url, credentials, region } = connection;
  const { base, isGoogle } = baseOf(connection);
  const { sessionToken, ...keys } = credentials;
  const client = new AwsClient({
    ...keys,
    ...(sessionToken === null ? {} : { sessionToken }),
    service: 's3',
    region: region ?? (isGoogle ? 'auto' : 'us-east-1'),
    retries: RETRIES,
  });
  const request = async (file: string, init: RequestInit): Promise<Response> => {
    try {
      return await client.fetch(`${base}/${file}`, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw unreachable(url, base, error);
    }
  };
  return {
    name: url,
    async put(file, bytes, contentType) {
      for (let round = 1; ; round += 1) {
        const before = await request(file, {});
        const found = before.ok ? new Uint8Array(await before.arrayBuffer()) : null;
        if (found !== null && Buffer.from(found).equals(bytes)) return 'unchanged';
        if (found === null) await checkMissing(before, url);
        const etag = before.headers.get('etag');
        const condition =
          found === null ? { 'if-none-match': '*' } : etag === null ? {} : { 'if-match': etag };
        const answer = await request(file, {
          method: 'PUT',
          body: Buffer.from(bytes),
          headers: { 'content-type': contentType, ...(isGoogle ? {} : condition) },
        });
        if (answer.ok) return 'written';
        if (round === ROUNDS || (answer.status !== 412 && answer.status !== 409))
          throw await refused(answer, url);
      }
    },
  };
}

function baseOf({ url, endpoint, region }: BucketConnection): { base: string; isGoogle: boolean } {
  const { protocol, hostname: bucket, pathname } = new URL(url);
  const folder = pathname.replace(/\/+$/, '');
  const isGoogle = protocol === 'gs:';
  if (endpoint !== null) return { base: `${endpoint.replace(/\/+$/, '')}/${bucket}${folder}`, isGoogle };
  if (isGoogle) return { base: `https://storage.googleapis.com/${bucket}${folder}`, isGoogle };
  return { base: `https://${bucket}.s3.${region ?? 'us-east-1'}.amazonaws.com${folder}`, isGoogle };
}

/** A file that does not exist yet is not an error. */
async function checkMissing(answer: Response, url: string): Promise<void> {
  if (answer.status === 404 && !(await answer.clone().text()).includes('NoSuchBucket')) return;
  throw await refused(answer, url);
}

async function refused(answer: Response, url: string): Promise<Failure> {
  const text = await answer.text().catch(() => '');
  const code = /<Code>([\w.]{1,64})<\/Code>/.exec(text)?.[1] ?? answer.statusText;
  const fix =
    answer.status === 404
      ? 'create the bucket, or name another'
      : answer.status === 403 || answer.status === 401
        ? 'check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and their permissions on the bucket'
        : answer.status === 301 || answer.status === 400
          ? 'check AWS_REGION: the bucket may be in another region'
          : 'run the same command again';
  return new Failure('store_refused', `${url} refuses the request: ${answer.status} ${code}`, { fix });
}

function unreachable(url: string, base: string, error: unknown): Failure {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const why = cause instanceof Error ? ('code' in cause ? String(cause.code) : cause.message) : String(cause);
  const host = new URL(base).host;
  return new Failure('store_unreachable', `no answer from ${host} for ${url} (${why})`, {
    fix: 'check the network, and AWS_ENDPOINT_URL if you use another server',
  });
}
