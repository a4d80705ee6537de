import type { Tracer } from '../../ports/outside/tracer.ts';
import { openTracer } from '../../compose.ts';
import { version } from '../hints.ts';
import type { Session } from '../session.ts';
import { tracingWay, wantsTraces } from './settings.ts';

const opened = new WeakMap<Session, Promise<Tracer>>();

/**
 * The tracer of this process, configured by the variables of OpenTelemetry. Remaining spans are sent when the command
 * ends.
 *
 * @returns undefined if tracing is not enabled
 * @throws Failure invalid_value
 */
export async function tracerOf(session: Session): Promise<Tracer | undefined> {
  const { env, printer } = session;
  if (!wantsTraces(env)) return undefined;
  let tracer = opened.get(session);
  if (tracer === undefined) {
    tracer = openTracer(tracingWay(env), { version: version(), onWarning: (text) => printer.warn(text) });
    opened.set(session, tracer);
    session.disposeAtEnd(await tracer);
  }
  return tracer;
}
