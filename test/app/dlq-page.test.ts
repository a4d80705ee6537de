import { beforeEach, expect, it } from 'vitest';
import type { DeadLetterFilter } from '../../src/app/dlq/filter.ts';
import { listDeadLetters } from '../../src/app/dlq/list.ts';
import { deadLetterPage, type DeadLetterMark } from '../../src/app/dlq/page.ts';
import { formatDeadLetterId } from '../../src/domain/topics/dead-letter-id.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';

const TOPICS = ['orders.dlq', 'orders.created.dlq'];
const SCOPE = { topics: TOPICS, isNamed: true, of: null };
const ALL: DeadLetterFilter = {
  reason: null,
  sinceMs: null,
  untilMs: null,
  originalTopic: null,
  originalGroup: null,
  state: null,
};

let folder: ModelFolder;
let broker: ScriptedBroker;

beforeEach(() => {
  folder = new ModelFolder(new FakeClock());
  broker = new ScriptedBroker();
  for (const topic of TOPICS) broker.createTopic(topic, 2);
});

/** Failed in second `at`; the same record and time again is a copy. */
function letter(topic: string, partition: number, at: number, code = 'undecodable'): void {
  broker.append(topic, partition, {
    value: new Uint8Array(9),
    headers: [
      ['x-original-topic', topic.replace('.dlq', '')],
      ['x-original-partition', '0'],
      ['x-original-offset', String(at)],
      ['x-original-group', 'g'],
      ['x-error-code', code],
      ['x-failed-at', new Date(1_760_000_000_000 + at * 1_000).toISOString()],
    ],
  });
}

interface Listed {
  readonly id: string;
  readonly at: number | null;
}

/** Page after page, until there is none. */
async function pages(limit: number, filter: Partial<DeadLetterFilter> = {}): Promise<Listed[][]> {
  const found: Listed[][] = [];
  let mark: DeadLetterMark | null = null;
  do {
    const page: Awaited<ReturnType<typeof deadLetterPage<Listed>>> = await deadLetterPage(
      { access: folder, broker },
      {
        scope: SCOPE,
        filter: { ...ALL, ...filter },
        limit,
        mark,
        keep: ({ id, failedAt }) => ({ id: formatDeadLetterId(id), at: failedAt }),
      },
    );
    found.push([...page.deadLetters]);
    // A client has had it.
    mark = JSON.parse(JSON.stringify(page.next)) as DeadLetterMark | null;
  } while (mark !== null);
  return found;
}

it('pages hold each dead letter once, the latest first, whatever their size', async () => {
  for (let at = 0; at < 60; at += 1) letter(TOPICS[at % 3 === 0 ? 1 : 0] ?? '', at % 2, at);
  const listed: string[] = [];
  await listDeadLetters(
    { access: folder, broker },
    {
      scope: SCOPE,
      filter: ALL,
      limit: Infinity,
      onDeadLetters: async (found) => void listed.push(...found.map(({ id }) => formatDeadLetterId(id))),
    },
  );
  for (const limit of [1, 7, 59, 60, 61]) {
    const all = (await pages(limit)).flat();
    expect(all.map(({ id }) => id).toSorted(), String(limit)).toEqual(listed.toSorted());
    expect(all.map(({ at }) => at)).toEqual(
      all.map(({ at }) => at).toSorted((a, b) => Number(b) - Number(a)),
    );
  }
});

it('one that was sent twice after a crash is in one page, in whichever partition its copy lies', async () => {
  for (let at = 0; at < 20; at += 1) letter('orders.dlq', at % 2, at);
  for (let at = 10; at < 20; at += 1) letter('orders.dlq', at % 3 === 0 ? 1 : 0, at);
  for (let at = 20; at < 23; at += 1) letter('orders.dlq', 1, at);
  for (const limit of [1, 2, 5, 50]) {
    const times = (await pages(limit)).flat().map(({ at }) => at);
    expect(times, String(limit)).toHaveLength(23);
    expect(new Set(times).size, String(limit)).toBe(23);
  }
});

it('a page looks at a bounded part, and what is rare is found in a later one', async () => {
  letter('orders.dlq', 0, 0, 'no_value');
  for (let at = 1; at < 25_000; at += 1) letter('orders.dlq', 0, at);
  const found = await pages(5, { reason: 'no_value' });
  expect(found.map(({ length }) => length)).toEqual([0, 0, 1]);
});

it('dead letters that come while somebody turns pages shift none of them', async () => {
  for (let at = 0; at < 10; at += 1) letter('orders.dlq', 0, at);
  const of = { access: folder, broker };
  const options = {
    scope: SCOPE,
    filter: ALL,
    limit: 4,
    keep: ({ failedAt }: { failedAt: number | null }) => ((failedAt ?? 0) - 1_760_000_000_000) / 1_000,
  };
  const first = await deadLetterPage(of, { ...options, mark: null });
  for (let at = 10; at < 20; at += 1) letter('orders.dlq', at % 2, at);
  const second = await deadLetterPage(of, { ...options, mark: first.next });
  expect([first.deadLetters, second.deadLetters]).toEqual([
    [9, 8, 7, 6],
    [5, 4, 3, 2],
  ]);
});

it('those kept in the folder come first; without topics there are none', async () => {
  const kept = (id: string) => ({
    kind: 'record' as const,
    id,
    topic: 'orders.dlq',
    key: null,
    value: null,
    headers: [],
  });
  folder.undelivered.push(kept('orders/0@1'), kept('orders/0@2'), kept('orders/0@3'));
  letter('orders.dlq', 0, 0);
  const ids = (await pages(2)).map((page) => page.map(({ id }) => id));
  expect(ids).toEqual([
    ['kept:orders/0@1', 'kept:orders/0@2'],
    ['kept:orders/0@3', 'orders.dlq:0:0'],
  ]);
  broker.topics.clear();
  expect(await pages(2)).toEqual([[]]);
});
