import fs from 'node:fs';
import path from 'node:path';
import prettier from 'prettier';
import { describe, expect, it } from 'vitest';
import { dashboard } from '../../deploy/grafana/dashboard.ts';
import { METRICS } from '../../src/app/metrics/declared.ts';
import type { Metric } from '../../src/ports/outside/meter.ts';

// After a change of metrics or of the dashboard: npx vitest run --config vitest.all.config.ts test/unit/monitoring.test.ts -u

const ROOT = path.resolve(import.meta.dirname, '../..');
const read = (file: string): string => fs.readFileSync(path.join(ROOT, file), 'utf8');
const DECLARED: readonly Metric[] = Object.values(METRICS);
const RULES = read('deploy/prometheus/rules.yml');
const DOCS = read('docs/monitoring.md');

async function made(file: string, text: string): Promise<void> {
  const full = path.join(ROOT, file);
  const options = await prettier.resolveConfig(full);
  await expect(await prettier.format(text, { ...options, filepath: full })).toMatchFileSnapshot(full);
}

/** What a text of queries names. */
function namesIn(text: string): string[] {
  return [...new Set(text.match(/\b(?:[a-z_]+:)*(?:orderctl|process)_\w+(?::\w+)?/g))];
}

it('the dashboard is up to date', () =>
  made('deploy/grafana/dashboards/orderctl.json', JSON.stringify(dashboard())));

it('the list of metrics is up to date', () => {
  const rows = DECLARED.map(
    ({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.join(', ')} | ${help} |`,
  );
  const table = ['| metric | type | labels | what it is |', '| --- | --- | --- | --- |', ...rows].join('\n');
  const text = DOCS.replace(/(<!-- metrics -->\n)[^]*?(\n<!-- end -->)/, `$1\n${table}\n$2`);
  return made('docs/monitoring.md', text);
});

describe('metrics', () => {
  it.each(DECLARED.map((one) => [one.name, one] as const))('%s is named by the conventions', (name, one) => {
    expect(name).toMatch(/^(?:orderctl|process)(?:_[a-z]+)+$/);
    expect(name.endsWith('_total')).toBe(one.type === 'counter');
    expect(name).not.toMatch(/_(?:ms|millis\w*|minutes|hours|kib|mb|percent)(?:_|$)/);
    expect(one.help).toMatch(/\.$/);
    // An id in a label would make a series of each order.
    for (const label of one.labels) expect(label).toMatch(/^(?!.*(?:id|order|user|item)$)[a-z]+$/);
    const { buckets = [] } = one;
    expect(buckets.length > 0).toBe(one.type === 'histogram');
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
  });
});

describe('rules and dashboard', () => {
  const recorded = [...RULES.matchAll(/- record: (\S+)/g)].map(([, name]) => name);
  const known = new Set([
    ...recorded,
    ...DECLARED.flatMap(({ name, type }) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_count`, `${name}_sum`] : [name],
    ),
  ]);
  const expressions = [...RULES.matchAll(/expr: (?:\|\n((?: {10,}.*\n)+)|(.*))/g)].map(
    ([, block, line]) => block ?? line ?? '',
  );

  it('ask for metrics that there are', () => {
    const asked = [...expressions.flatMap(namesIn), ...namesIn(JSON.stringify(dashboard().panels))];
    expect(asked.length).toBeGreaterThan(20);
    expect(asked.filter((name) => !known.has(name))).toEqual([]);
  });

  it('each alert has a test, and a section that says what to do', () => {
    const alerts = [...RULES.matchAll(/- alert: (\w+)/g)].map(([, name]) => name ?? '');
    const sections = [...DOCS.matchAll(/^### (Orderctl\w+)$/gm)].map(([, name]) => name);
    const tested = [...read('deploy/prometheus/rules.test.yml').matchAll(/alertname: (\w+)/g)];
    expect(sections).toEqual(alerts);
    expect([...new Set(tested.map(([, name]) => name))]).toEqual(alerts);
    for (const name of alerts) expect(RULES).toContain(`docs/monitoring.md#${name.toLowerCase()}\n`);
  });
});
