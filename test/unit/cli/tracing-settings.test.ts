import { expect, it } from 'vitest';
import { tracingWay, wantsTraces } from '../../../src/cli/tracing/settings.ts';
import { Failure } from '../../../src/domain/failure.ts';

const ON = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318' };

it('spans are asked for by an endpoint alone, and may be turned off', () => {
  expect(wantsTraces({})).toBe(false);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_ENDPOINT: '' })).toBe(false);
  expect(wantsTraces({ OTEL_SERVICE_NAME: 'shop' })).toBe(false);
  expect(wantsTraces(ON)).toBe(true);
  expect(wantsTraces({ OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://127.0.0.1:4318/x' })).toBe(true);
  expect(wantsTraces({ ...ON, OTEL_SDK_DISABLED: 'true' })).toBe(false);
  expect(wantsTraces({ ...ON, OTEL_TRACES_EXPORTER: 'none' })).toBe(false);
});

it('the endpoint of all signals gets the path of traces, the one of traces is used as it is', () => {
  const urlOf = (env: Record<string, string>): string => tracingWay(env).url;
  expect(urlOf(ON)).toBe('http://127.0.0.1:4318/v1/traces');
  expect(urlOf({ OTEL_EXPORTER_OTLP_ENDPOINT: 'https://otel.example/a/' })).toBe(
    'https://otel.example/a/v1/traces',
  );
  expect(urlOf({ ...ON, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://other:1/x' })).toBe('http://other:1/x');
});

it('headers and attributes are lists, and the name of the service has a variable of its own', () => {
  const way = tracingWay({
    ...ON,
    OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Basic%20YQ==,x-tenant=a',
    OTEL_SERVICE_NAME: 'payment',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment.name=test',
  });
  expect(way.headers).toEqual({ authorization: 'Basic YQ==', 'x-tenant': 'a' });
  expect(way.resource).toMatchObject({ 'service.name': 'payment', 'deployment.environment.name': 'test' });
  expect(tracingWay(ON).resource).toMatchObject({ 'service.name': 'orderctl' });
});

it('each process has an id of its own, unless it is given one', () => {
  const idOf = (env: Record<string, string> = {}) =>
    tracingWay({ ...ON, ...env }).resource['service.instance.id'];
  expect(idOf()).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  expect(idOf()).not.toBe(idOf());
  expect(idOf({ OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=pod-1' })).toBe('pod-1');
});

it('samplers have the names of OpenTelemetry', () => {
  const samplerOf = (OTEL_TRACES_SAMPLER: string, OTEL_TRACES_SAMPLER_ARG = '') =>
    tracingWay({ ...ON, OTEL_TRACES_SAMPLER, OTEL_TRACES_SAMPLER_ARG }).sampler;
  expect(samplerOf('')).toEqual({ ratio: 1, followsParent: true });
  expect(samplerOf('always_off')).toEqual({ ratio: 0, followsParent: false });
  expect(samplerOf('parentbased_traceidratio', '0.01')).toEqual({ ratio: 0.01, followsParent: true });
  expect(samplerOf('traceidratio')).toEqual({ ratio: 1, followsParent: false });
});

it.each([
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: '127.0.0.1:4318' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  [{ OTEL_EXPORTER_OTLP_ENDPOINT: 'collector' }, 'OTEL_EXPORTER_OTLP_ENDPOINT'],
  [{ ...ON, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }, 'OTEL_EXPORTER_OTLP_PROTOCOL'],
  [{ ...ON, OTEL_TRACES_SAMPLER: 'toString' }, 'OTEL_TRACES_SAMPLER'],
  [{ ...ON, OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: '2' }, 'OTEL_TRACES_SAMPLER_ARG'],
  [{ ...ON, OTEL_EXPORTER_OTLP_HEADERS: 'secret-alone' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
  [{ ...ON, OTEL_EXPORTER_OTLP_HEADERS: 'a=%' }, 'OTEL_EXPORTER_OTLP_HEADERS'],
])('%j is refused with the way out', (env, name) => {
  try {
    tracingWay(env);
    expect.unreachable();
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    expect(error.code).toBe('invalid_value');
    expect(error.message).toContain(name);
    expect(error.message).not.toContain('secret');
    expect(error.fix).toMatch(/\w/);
  }
});
