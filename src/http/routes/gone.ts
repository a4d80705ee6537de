import type { FastifyReply } from 'fastify';
import { Failure } from '../../domain/failure.ts';

/** Aborts when the client disconnects before it has its answer. */
export function goneSignal({ raw }: FastifyReply): AbortSignal {
  const gone = new AbortController();
  raw.once('close', () => {
    if (!raw.writableFinished) gone.abort(new Failure('interrupted', 'the client disconnected'));
  });
  return gone.signal;
}
