import { Failure } from '../../domain/failure.ts';
import type { TracingWay } from '../../compose.ts';
import type { Environment } from '../session.ts';

/*
 * The environment variables of OpenTelemetry, which apply to every program of a system:
 * https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */

const ENDPOINT = 'OTEL_EXPORTER_OTLP_ENDPOINT';
const TRACES_ENDPOINT = 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT';

/** The first variable that is set; the specification treats an empty value as unset. */
function valueOf(env: Environment, ...names: readonly string[]): { name: string; value: string } | null {
  for (const name of names) {
    const value = env[name]?.trim() ?? '';
    if (value !== '') return { name, value };
  }
  return null;
}

/** Whether tracing is enabled. Every command that sends checks this, before any tracing code is loaded. */
export function wantsTraces(env: Environment): boolean {
  return (
    valueOf(env, TRACES_ENDPOINT, ENDPOINT) !== null &&
    valueOf(env, 'OTEL_SDK_DISABLED')?.value.toLowerCase() !== 'true' &&
    valueOf(env, 'OTEL_TRACES_EXPORTER')?.value !== 'none'
  );
}

/** How to trace, for an environment that enables tracing. @throws Failure invalid_value */
export function tracingWay(env: Environment): TracingWay {
  refuseGrpc(env);
  const headers = valueOf(env, 'OTEL_EXPORTER_OTLP_TRACES_HEADERS', 'OTEL_EXPORTER_OTLP_HEADERS');
  const resource = valueOf(env, 'OTEL_RESOURCE_ATTRIBUTES');
  const service = valueOf(env, 'OTEL_SERVICE_NAME')?.value;
  return {
    url: urlIn(env),
    headers: headers === null ? {} : pairsIn(headers.name, headers.value),
    resource: {
      'service.name': 'orderctl',
      // The processes of a shop share one name; this tells which of them made a span.
      'service.instance.id': crypto.randomUUID(),
      ...(resource === null ? {} : pairsIn(resource.name, resource.value)),
      ...(service === undefined ? {} : { 'service.name': service }),
    },
    sampler: samplerIn(env),
  };
}

function urlIn(env: Environment): string {
  const own = valueOf(env, TRACES_ENDPOINT);
  const { name, value } = own ?? valueOf(env, ENDPOINT) ?? { name: ENDPOINT, value: '' };
  let url: URL;
  try {
    url = new URL(value);
  } catch {
    throw invalid(name, value, 'is not a URL', 'give one such as http://127.0.0.1:4318');
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw invalid(name, value, 'is not an http or https URL', 'give one such as http://127.0.0.1:4318');
  // By the specification, the path is appended to the endpoint for all signals, but not to that for traces.
  if (own === null) url.pathname = `${url.pathname.replace(/\/+$/, '')}/v1/traces`;
  return url.href;
}

/** Collectors accept JSON wherever they accept protobuf over HTTP; gRPC uses another port. */
function refuseGrpc(env: Environment): void {
  const protocol = valueOf(env, 'OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL');
  if (protocol?.value !== 'grpc') return;
  const fix = 'set OTEL_EXPORTER_OTLP_TRACES_PROTOCOL=http/json, and the endpoint to the port for HTTP, 4318';
  throw invalid(protocol.name, protocol.value, 'is not supported: orderctl sends OTLP over HTTP', fix);
}

/** Parses `key=value,key=value`; special characters are percent-encoded. */
function pairsIn(name: string, text: string): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const pair of text.split(',')) {
    const at = pair.indexOf('=');
    const key = pair.slice(0, at).trim();
    // The text may have secrets, so the message does not repeat it.
    if (at < 1 || !/^[\w.!#$%&'*+^`|~-]+$/.test(key)) throw notPairs(name);
    try {
      pairs[key] = decodeURIComponent(pair.slice(at + 1).trim());
    } catch {
      throw notPairs(name);
    }
  }
  return pairs;
}

function notPairs(name: string): Failure {
  return new Failure('invalid_value', `${name} is not a list of KEY=VALUE, separated by commas`, {
    fix: 'write a comma or a percent sign in a value as %2C or %25',
  });
}

const SAMPLERS: Readonly<Record<string, { readonly ratio: number | null; readonly followsParent: boolean }>> =
  {
    always_on: { ratio: 1, followsParent: false },
    always_off: { ratio: 0, followsParent: false },
    traceidratio: { ratio: null, followsParent: false },
    parentbased_always_on: { ratio: 1, followsParent: true },
    parentbased_always_off: { ratio: 0, followsParent: true },
    parentbased_traceidratio: { ratio: null, followsParent: true },
  };

function samplerIn(env: Environment): TracingWay['sampler'] {
  const name = 'OTEL_TRACES_SAMPLER';
  const { value } = valueOf(env, name) ?? { value: 'parentbased_always_on' };
  const sampler = Object.hasOwn(SAMPLERS, value) ? SAMPLERS[value] : undefined;
  if (sampler === undefined)
    throw invalid(name, value, 'is not a sampler', `use one of: ${Object.keys(SAMPLERS).join(', ')}`);
  return { ratio: sampler.ratio ?? ratioIn(env), followsParent: sampler.followsParent };
}

function ratioIn(env: Environment): number {
  const given = valueOf(env, 'OTEL_TRACES_SAMPLER_ARG');
  if (given === null) return 1;
  const ratio = Number(given.value);
  if (!(ratio >= 0 && ratio <= 1))
    throw invalid(given.name, given.value, 'is not from 0 to 1', 'use 0.01 for one trace in a hundred');
  return ratio;
}

function invalid(name: string, value: string, why: string, fix: string): Failure {
  return new Failure('invalid_value', `${name}=${value} ${why}`, { fix });
}
