import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { COMMANDS } from '../../../src/cli/commands/index.ts';
import { brokerHints, rephraser, wayOut } from '../../../src/cli/hints.ts';

let root = '';

beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'orderctl-hints-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, mode = 0o644): void {
  mkdirSync(join(root, path, '..'), { recursive: true });
  writeFileSync(join(root, path), '');
  chmodSync(join(root, path), mode);
}

it('names only the ways that this installation has', () => {
  const env = { PATH: join(root, 'bin') };
  const lines = (cwd = root): string[] => brokerHints('is it running?', env, root, cwd).split('\n');
  const dev = 'to start one in another terminal, for development:';
  const always = ['is it running?', `${dev} npx orderctl dev`, 'to use another cluster: --brokers HOST:PORT'];
  put('deploy/kafka/kafka.mjs');
  put('deploy/docker/docker-compose.yml');
  expect(lines()).toEqual(always);
  put('bin/java', 0o755);
  expect(lines()).toEqual(always);
  put('bin/mvn', 0o755);
  expect(lines()[2]).toContain('npm run kafka');
  expect(lines()).toHaveLength(4);
  put('bin/docker', 0o755);
  expect(lines()[3]).toContain('docker compose -f deploy/docker/docker-compose.yml up -d');
  mkdirSync(join(root, 'src'));
  expect(lines(join(root, 'src'))[2]).toContain('npm run kafka');
  expect(lines(join(root, 'src'))[3]).toContain('docker compose -f ../deploy/docker/docker-compose.yml');
});

it('does not send who works elsewhere into the checkout, but calls the program by its path', () => {
  const env = { PATH: join(root, 'bin') };
  for (const program of ['java', 'mvn', 'docker']) put(`bin/${program}`, 0o755);
  put('deploy/kafka/kafka.mjs');
  put('deploy/docker/docker-compose.yml');
  expect(brokerHints(null, env, root, tmpdir()).split('\n')).toEqual([
    `to start one in another terminal, for development: ${join(root, 'bin/orderctl')} dev`,
    'to use another cluster: --brokers HOST:PORT',
  ]);
});

it('calls itself as it is called from here', () => {
  put('bin/orderctl', 0o755);
  expect(brokerHints(null, { PATH: join(root, 'bin') }, root, tmpdir())).toContain(': orderctl dev');
});

it('does not send a global installation to npm run', () => {
  const env = { PATH: join(root, 'bin') };
  put('bin/java', 0o755);
  put('bin/mvn', 0o755);
  put('node_modules/orderctl/deploy/kafka/kafka.mjs');
  expect(brokerHints(null, env, join(root, 'node_modules/orderctl'), root)).not.toMatch(/npm |deploy/);
});

it('repeats in commands that it names where this one works', () => {
  const storage = { flag: '--storage', value: '/data/my shop' };
  const topic = { flag: '--topic', value: 'returns' };
  const rephrased = rephraser(COMMANDS, [storage, topic], {});
  expect(rephrased('add some: orderctl user add --user alice, "orderctl stop"; then go on')).toBe(
    "add some: orderctl --storage '/data/my shop' user add --user alice, \"orderctl --storage '/data/my shop' stop\"; then go on",
  );
  expect(rephrased('orderctl consume --reset-to earliest')).toBe(
    "orderctl --storage '/data/my shop' --topic returns consume --reset-to earliest",
  );
  expect(rephrased('orderctl consume --topic other; see orderctl audit')).toBe(
    "orderctl --storage '/data/my shop' consume --topic other; see orderctl --storage '/data/my shop' --topic returns audit",
  );
  const topics = { flag: '--topics', value: 'orders.created=shop.orders' };
  expect(
    rephraser(COMMANDS, [topic, topics], {})('see the differences and fix them: orderctl topics apply'),
  ).toBe(
    "see the differences and fix them: orderctl --topic returns --topics 'orders.created=shop.orders' topics apply",
  );
  expect(rephraser(COMMANDS, [topic], {})('"orderctl schema register orders" does')).toBe(
    '"orderctl --topic returns schema register orders" does',
  );
  // Whatever the command works on: the store alone, or Kafka as well.
  expect(rephrased('see: orderctl supplier show')).toBe(
    "see: orderctl --storage '/data/my shop' supplier show",
  );
  expect(rephrased('"orderctl run" reads it')).toBe(
    '"orderctl --storage \'/data/my shop\' --topic returns run" reads it',
  );
  const config = { flag: '--config', value: 'shop.json' };
  expect(rephraser(COMMANDS, [config], {})('see: orderctl user show')).toBe(
    'see: orderctl --config shop.json user show',
  );
  // What works on none of these, and what is so already.
  for (const text of [
    'the same version of orderctl as the consumer',
    'orderctl dev',
    'my-orderctl-consume',
  ]) {
    expect(rephrased(text)).toBe(text);
  }
  const once = rephrased('orderctl audit');
  expect(rephrased(once)).toBe(once);
  expect(rephraser(COMMANDS, [], {})('orderctl audit')).toBe('orderctl audit');
});

it('where npm has found it, commands are named as they can be typed', () => {
  const text =
    'see: orderctl user show; "orderctl --topic x run" reads it; it is no line that orderctl wrote';
  const byNpm =
    'see: npx orderctl user show; "npx orderctl --topic x run" reads it; it is no line that orderctl wrote';
  for (const script of [
    'orderctl',
    'orderctl order show X',
    '"orderctl" "up"',
    'node bin/orderctl up --sample 5',
  ]) {
    expect(rephraser(COMMANDS, [], { npm_lifecycle_script: script })(text), script).toBe(byNpm);
  }
  expect(rephraser(COMMANDS, [], { npm_lifecycle_script: 'orderctl' })(byNpm)).toBe(byNpm);
  for (const script of [undefined, 'vitest run', 'node /tmp/orderctl-tests/main.js'])
    expect(rephraser(COMMANDS, [], { npm_lifecycle_script: script })(text)).toBe(text);
});

it('the way out of positions that do not fit the topic is that of the processor which has read it', () => {
  const reader = { processor: 'warehouse', topic: 'stock.reserved' } as const;
  const reset = 'orderctl offsets reset --processor warehouse --source stock.reserved --to';
  expect(wayOut({ kind: 'other_cluster' })).toContain('orderctl consume --reset-to earliest');
  expect(wayOut({ kind: 'other_cluster', reader })).toContain(
    `orderctl setup --execute; then ${reset} earliest --execute`,
  );
  expect(wayOut({ kind: 'topic_changed', reader })).toContain(`${reset} earliest --execute;`);
  expect(wayOut({ kind: 'offsets_gone', partition: 2, reader })).toContain(
    `${reset} latest --partitions 2 --execute`,
  );
  expect(wayOut({ kind: 'skip_batch', partition: 2, next: 7, reader })).toContain(
    `${reset} 7 --partitions 2 --execute`,
  );
  const of = [
    { kind: 'other_cluster' },
    { kind: 'topic_changed' },
    { kind: 'offsets_gone', partition: 2 },
  ] as const;
  for (const advice of of) expect(wayOut({ ...advice, reader })).not.toContain('consume');
});

it('what is to be typed is complete, with flags that fit', () => {
  const again = {
    kind: 'read_again',
    processor: 'orders',
    topic: 'orders',
    partition: 1,
    offset: 7,
  } as const;
  expect(wayOut({ kind: 'used_dlq_topic', again })).toContain(
    'orderctl offsets reset --to 7 --partitions 1 --execute',
  );
  // Which of them the topic is named by depends on whose it is.
  expect(wayOut({ kind: 'create_topic' })).toContain('--topic, --dlq-topic or --topics');
});
