import { beforeEach, describe, expect, it } from 'vitest';
import { discardDeadLetters, findDeadLetters } from '../../src/app/dlq/discard.ts';
import { recentOnly, type DeadLetter } from '../../src/app/dlq/dead-letters.ts';
import type { DeadLetterFilter } from '../../src/app/dlq/filter.ts';
import { listDeadLetters, type ListDeadLettersSummary } from '../../src/app/dlq/list.ts';
import { redriveDeadLetters } from '../../src/app/dlq/redrive.ts';
import { scopeOfTopic } from '../../src/app/dlq/scope.ts';
import type { RedriveEvent, RedriveOptions, RedriveSummary } from '../../src/app/dlq/redrive-events.ts';
import {
  deadLetterColumns,
  deadLetterRow,
  listLine,
  listSummaryDocument,
} from '../../src/cli/output/dead-letters/list.ts';
import { Failure } from '../../src/domain/failure.ts';
import { parseDeadLetterId } from '../../src/domain/topics/dead-letter-id.ts';
import type { Order } from '../../src/domain/orders/order.ts';
import { lastHeader, type Headers } from '../../src/ports/record.ts';
import { FakeClock } from '../support/fake-clock.ts';
import { ModelFolder } from '../support/model.ts';
import { encodeOrder, PlainCodec } from '../support/plain-codec.ts';
import { ScriptedBroker } from '../support/scripted-broker.ts';
import { fixText } from '../support/ways-out.ts';

const DLQ = 'orders.dlq';
const SCOPE = scopeOfTopic(DLQ);
const ALL: DeadLetterFilter = {
  reason: null,
  sinceMs: null,
  untilMs: null,
  originalTopic: null,
  originalGroup: null,
  state: null,
};

let clock: FakeClock;
let folder: ModelFolder;
let broker: ScriptedBroker;
let codec: PlainCodec;

beforeEach(() => {
  codec = new PlainCodec();
  clock = new FakeClock();
  folder = new ModelFolder(clock);
  broker = new ScriptedBroker();
  broker.createTopic('orders');
  broker.createTopic(DLQ, 2);
});

function headers(offset: number, more: Headers = []): Headers {
  const given: Headers = [
    ['x-original-topic', 'orders'],
    ['x-original-partition', '0'],
    ['x-original-offset', String(offset)],
    ['x-original-group', 'g'],
    ['x-error-code', 'undecodable'],
    ['x-error-message', 'byte 5: bad'],
    ['x-error-stage', 'decode'],
    ['x-attempts', '1'],
    ['x-failed-at', new Date(1_760_000_000_000 + offset * 1_000).toISOString()],
    ['trace', 'abc'],
  ];
  return [...given.filter(([name]) => !more.some(([other]) => other === name)), ...more];
}

function letter(offset: number, more: Headers = [], partition = 0): void {
  const bytes = new TextEncoder().encode(`value ${offset}`);
  broker.append(DLQ, partition, { key: bytes, value: bytes, headers: headers(offset, more) });
}

async function list(
  filter: Partial<DeadLetterFilter> = {},
  limit = Infinity,
): Promise<ListDeadLettersSummary & { letters: DeadLetter[] }> {
  const letters: DeadLetter[] = [];
  const onDeadLetters = async (found: readonly DeadLetter[]): Promise<void> => void letters.push(...found);
  const summary = await listDeadLetters(
    { access: folder, broker },
    { scope: SCOPE, filter: { ...ALL, ...filter }, limit, onDeadLetters },
  );
  return { ...summary, letters };
}

const idsOf = (letters: readonly DeadLetter[]): string[] => letters.map(({ mark }) => mark.id);

describe('dlq list', () => {
  it('counts by reason and state, and lists no more than it is asked for', async () => {
    letter(0);
    letter(1, [['x-error-code', 'no_value']]);
    letter(2, [], 1);
    const found = await list({}, 2);
    expect(found).toMatchObject({ total: 3, listed: 2, byState: { open: 3, redriven: 0, discarded: 0 } });
    expect(Object.fromEntries(found.byErrorCode)).toEqual({ undecodable: 2, no_value: 1 });
    expect(idsOf(found.letters)).toEqual(['0:0', '0:1']);
  });

  it('selects by reason, time, original topic and state', async () => {
    letter(0);
    letter(1, [['x-error-code', 'no_value']]);
    letter(2, [['x-original-topic', 'other']]);
    broker.append(DLQ, 1, { headers: [], timestamp: 5 });
    const ids = async (filter: Partial<DeadLetterFilter>): Promise<string[]> =>
      idsOf((await list(filter)).letters);
    expect(await ids({ reason: 'no_value' })).toEqual(['0:1']);
    expect(await ids({ reason: 'unknown' })).toEqual(['1:0']);
    expect(await ids({ originalTopic: 'other' })).toEqual(['0:2']);
    expect(await ids({ originalGroup: 'g' })).toEqual(['0:0', '0:1', '0:2']);
    expect(await ids({ originalGroup: 'unknown' })).toEqual(['1:0']);
    expect(await ids({ sinceMs: 1_760_000_001_000 })).toEqual(['0:1', '0:2']);
    expect(await ids({ untilMs: 1_760_000_001_000 })).toEqual(['0:0', '1:0']);
    expect(await ids({ state: 'discarded' })).toEqual([]);
  });

  it('names the groups where more than one has read the topic', async () => {
    letter(0);
    const titles = (summary: ListDeadLettersSummary): string[] =>
      deadLetterColumns(summary).map(({ title }) => title);
    const one = await list();
    expect(listLine(one)).toBe(`1 dead letter in ${DLQ}: 1 open`);
    expect(titles(one)).not.toContain('GROUP');
    letter(0, [['x-original-group', 'second']]);
    const two = await list();
    expect(listLine(two)).toBe(`2 dead letters in ${DLQ}: 2 open; read by 2 groups: 1 of g, 1 of second`);
    expect(titles(two)).toContain('GROUP');
    expect(two.letters.map((found) => deadLetterRow(found).group)).toEqual(['g', 'second']);
    expect(listSummaryDocument(two)).toMatchObject({ by_group: { g: 1, second: 1 } });
    // Of those that were selected only.
    expect(titles(await list({ originalGroup: 'second' }))).not.toContain('GROUP');
  });

  it('lists one that was sent twice after a crash once, in whichever partition the copy lies', async () => {
    letter(7);
    letter(7);
    letter(7, [], 1);
    letter(7, [['x-failed-at', '2026-01-01T00:00:00.000Z']]);
    expect(idsOf((await list()).letters)).toEqual(['0:0', '0:2']);
  });

  it('knows a copy again within so many letters at least, across the edge of what is remembered', () => {
    for (const distance of [1, 2, 3]) {
      const isNew = recentOnly(4);
      const right: boolean[] = [];
      for (let key = 0; key < 20; key += 1) {
        right.push(isNew(`k${key}`));
        if (key >= distance) right.push(!isNew(`k${key - distance}`));
      }
      expect(right.every(Boolean), String(distance)).toBe(true);
    }
  });

  it('lists what was too large for the topic under an id of its own', async () => {
    folder.undelivered.push(
      {
        kind: 'record',
        id: 'orders/0@9',
        topic: DLQ,
        key: null,
        value: new Uint8Array(9),
        headers: headers(9),
      },
      { kind: 'record', id: 'orders/0@8', topic: 'another.dlq', key: null, value: null, headers: headers(8) },
    );
    letter(1);
    expect(idsOf((await list()).letters)).toEqual(['kept:orders/0@9', '0:0']);
  });

  it('does not take a letter at the same place of a topic that was created again for one that was handled', async () => {
    broker.append(DLQ, 0, { headers: [], timestamp: 5 });
    const [found] = (await list()).letters;
    const mark = { kind: 'dead_letter.mark', topic: DLQ, action: 'discarded', why: 'w' } as const;
    await folder.edit({ ...mark, letters: found === undefined ? [] : [found.mark] });
    expect((await list()).letters[0]?.state).toBe('discarded');
    broker.createTopic(DLQ);
    broker.append(DLQ, 0, { headers: [], timestamp: 6 });
    expect((await list()).letters[0]?.state).toBe('open');
  });

  it('says nothing of when one failed that neither its headers nor its record date', async () => {
    broker.append(DLQ, 0, { headers: [], timestamp: -1 });
    broker.append(DLQ, 0, { headers: [], timestamp: 5 });
    expect((await list()).letters.map(({ failedAt }) => failedAt)).toEqual([null, 5]);
  });

  it('needs the topic', async () => {
    broker.topics.delete(DLQ);
    await expect(list()).rejects.toMatchObject({ code: 'topic_missing' });
  });
});

describe('dlq redrive', () => {
  let events: RedriveEvent[];
  let stop: AbortController;
  beforeEach(() => {
    events = [];
    stop = new AbortController();
  });
  const redrive = (options: Partial<RedriveOptions> = {}): Promise<void> =>
    redriveDeadLetters(
      {
        access: folder,
        broker,
        clock,
        newReplayId: () => 'r-1',
        codecOf: async () => codec,
        names: new Map(),
      },
      {
        scope: SCOPE,
        readings: [],
        value: null,
        select: { filter: ALL },
        max: null,
        toTopic: null,
        via: 'command',
        maxRedrives: 3,
        execute: true,
        signal: stop.signal,
        on: async (event) => void events.push(event),
        onNotice: () => undefined,
        ...options,
      },
    );
  const summary = (): RedriveSummary => {
    const event = events.at(-1);
    if (event?.kind !== 'summary') throw new Error('no summary');
    return event.summary;
  };
  const sent = (topic = 'orders') => broker.topics.get(topic)?.flat() ?? [];
  const skipped = (): string[] =>
    events.flatMap((event) => (event.kind === 'skipped' ? [`${event.id} ${event.reason}`] : []));
  const foretold = (): string[] =>
    events.flatMap((event) =>
      event.kind === 'would_send' || event.kind === 'sent'
        ? event.steps.map(({ id, now }) => {
            if (now === null) return `${id} unknown`;
            return `${id} ${now.kind === 'message' ? 'readable' : now.code}`;
          })
        : [],
    );
  const ids = (...texts: string[]) => ({ ids: texts.map(parseDeadLetterId) });

  it('sends nothing in a dry run, and says what it would', async () => {
    letter(0);
    letter(0);
    await redrive({ execute: false });
    expect(sent()).toEqual([]);
    expect(folder.log).toEqual([]);
    expect(summary()).toMatchObject({ dryRun: true, selected: 1, sent: 1 });
    expect(Object.fromEntries(summary().byTopic)).toEqual({ orders: 1 });
  });

  it('says in a dry run of each letter what consuming it would make of it', async () => {
    letter(0);
    const order: Order = {
      orderId: 'A',
      user: 'alice',
      createdAt: 0,
      items: [{ item: 'pen', quantity: 1, unitPrice: null }],
    };
    broker.append(DLQ, 0, { value: encodeOrder(order), headers: headers(1) });
    letter(2);
    await redrive({ execute: false });
    expect(foretold()).toEqual(['0:0 undecodable', '0:1 readable', '0:2 undecodable']);
    expect(summary()).toMatchObject({ sent: 3, failsAgain: 2, unread: null });
    events = [];
    // What is sent is not read: the consumer will.
    codec.decoded = 0;
    await redrive();
    expect(foretold()).toEqual(['0:0 unknown', '0:1 unknown', '0:2 unknown']);
    expect(summary()).toMatchObject({ sent: 3, failsAgain: 0, unread: null });
    expect(codec.decoded).toBe(0);
  });

  it('goes on with a dry run when the registry is away, and asks it once', async () => {
    for (let offset = 0; offset < 3; offset += 1) letter(offset);
    letter(3, [], 1);
    const away = new Failure('registry_unreachable', 'no registry');
    codec.decodeFailures = [undefined, away];
    broker.batchRecords = 2;
    await redrive({ execute: false });
    expect(foretold()).toEqual(['0:0 undecodable', '0:1 undecodable', '0:2 unknown', '1:0 unknown']);
    expect(summary()).toMatchObject({ sent: 4, failsAgain: 2, unread: away });
    expect(codec.decoded).toBe(2);
    codec.decodeFailures = [new Failure('bug', 'broken')];
    await expect(redrive({ execute: false })).rejects.toMatchObject({ code: 'bug' });
  });

  it('sends key and value as they are, drops the errors, says where it came from', async () => {
    letter(3, [
      ['trace', 'abc'],
      ['bytes', Buffer.from([255, 0])],
      ['trace', 'def'],
      ['none', null],
      ['bytes', Buffer.from([])],
    ]);
    await redrive();
    const value = new TextEncoder().encode('value 3');
    expect(sent()).toEqual([expect.objectContaining({ key: value, value })]);
    expect(sent()[0]?.headers).toEqual([
      ['x-attempts', '1'],
      ['trace', 'abc'],
      ['bytes', Buffer.from([255, 0])],
      ['trace', 'def'],
      ['none', null],
      ['bytes', Buffer.from([])],
      ['x-original-topic', 'orders'],
      ['x-original-partition', '0'],
      ['x-original-offset', '3'],
      ['x-original-group', 'g'],
      ['x-replay-id', 'r-1'],
      ['x-replay-count', '1'],
      ['x-replayed-at', '2026-01-02T03:04:05.006Z'],
    ]);
    expect(folder.log.at(-1)).toMatchObject({
      kind: 'dead_letter',
      action: 'redriven',
      why: 'replay r-1 to orders',
    });
  });

  it('sends nothing twice: not by a second run, not a copy, not by its id', async () => {
    for (let offset = 0; offset < 10; offset += 1) letter(offset);
    letter(4);
    await redrive({ max: 4 });
    expect(sent()).toHaveLength(4);
    await redrive();
    await redrive();
    expect(sent()).toHaveLength(10);
    events = [];
    await redrive({ select: ids('0:4', '0:10') });
    expect(sent()).toHaveLength(10);
    expect(skipped()).toEqual(['0:4 redriven', '0:10 redriven']);
    await expect(redrive({ select: ids('0:4', '1:0') })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('sends a letter and its copy, both named, once', async () => {
    letter(4);
    letter(4);
    await redrive({ select: ids('0:0', '0:1') });
    expect(sent()).toHaveLength(1);
    expect(summary()).toMatchObject({ sent: 1 });
  });

  it('goes on after Ctrl-C where it ended', async () => {
    for (let offset = 0; offset < 10; offset += 1) letter(offset);
    const on: RedriveOptions['on'] = async (event) => {
      events.push(event);
      if (event.kind === 'sent') stop.abort();
    };
    await expect(redrive({ on })).rejects.toMatchObject({ code: 'interrupted' });
    expect(summary()).toMatchObject({ interrupted: true, sent: 3 });
    stop = new AbortController();
    await redrive();
    expect(sent()).toHaveLength(10);
    expect(new Set(sent().map(({ value }) => new TextDecoder().decode(value ?? undefined))).size).toBe(10);
  });

  it('goes on after a broker that went away, with what was not sent', async () => {
    for (let offset = 0; offset < 6; offset += 1) letter(offset);
    const on: RedriveOptions['on'] = async (event) => {
      events.push(event);
      if (event.kind === 'sent') broker.sendFailures.push(new Failure('broker_unreachable', 'gone'));
    };
    await expect(redrive({ on })).rejects.toMatchObject({ code: 'broker_unreachable' });
    expect(summary()).toMatchObject({ sent: 3, interrupted: false });
    broker.sendFailures = [];
    await redrive();
    expect(sent()).toHaveLength(6);
  });

  it('marks what went when the rest did not, counts the rest apart, and leaves it open', async () => {
    for (let offset = 0; offset < 5; offset += 1) letter(offset);
    broker.batchRecords = 10;
    const fates = ['sent', 'lost_answer', 'unknown', 'not_sent', 'sent'] as const;
    broker.sendFailures = [new Failure('broker_unreachable', 'away')];
    broker.onSendFailure = (index) => fates[index] ?? 'not_sent';
    const failure = await redrive().catch((error: unknown) => error as Failure);
    expect(failure).toMatchObject({ code: 'broker_unreachable' });
    expect((failure as Failure).message).toBe('away; it is unknown whether these were sent: 0:1, 0:2');
    expect(fixText(failure as Failure)).toContain('run the same command again');
    expect(summary()).toMatchObject({ selected: 5, sent: 2, failed: 1, unknown: 2, interrupted: false });
    expect(events).toContainEqual({ kind: 'unknown', ids: ['0:1', '0:2'], topic: 'orders' });
    expect(idsOf((await list({ state: 'open' })).letters)).toEqual(['0:1', '0:2', '0:3']);
    await redrive();
    expect(summary()).toMatchObject({ sent: 3, failed: 0, unknown: 0 });
    // The one whose answer was lost is there twice: the id of its order keeps that harmless.
    expect(sent()).toHaveLength(6);
  });

  it('tells of a mark that could not be stored, and keeps no letter from the next run', async () => {
    letter(0);
    folder.failing = new Failure('write_failed', 'disk full');
    await expect(redrive()).rejects.toMatchObject({ code: 'write_failed' });
    expect(summary()).toMatchObject({ sent: 0, interrupted: false });
    folder.failing = null;
    expect((await list({ state: 'open' })).total).toBe(1);
  });

  it('skips what it cannot or should not send, with the reason, and leaves it open', async () => {
    letter(0, [['x-original-topic', 'no topic']]);
    letter(1, [['x-original-topic', 'gone']]);
    letter(2, [['x-replay-count', '3']]);
    letter(3, [['x-original-topic', DLQ]]);
    broker.append(DLQ, 1, { value: new Uint8Array(5_000), headers: headers(4) });
    letter(5);
    await redrive();
    expect(skipped()).toEqual([
      '0:0 no_original_topic',
      '0:1 topic_missing',
      '0:2 quarantined',
      '0:3 topic_missing',
      '1:0 too_large',
    ]);
    expect(sent()).toHaveLength(1);
    expect(summary()).toMatchObject({ selected: 6, sent: 1 });
    expect((await list({ state: 'open' })).total).toBe(5);
    broker.createTopic('elsewhere');
    await redrive({ toTopic: 'elsewhere', maxRedrives: 4, select: ids('0:0', '0:2') });
    expect(sent('elsewhere').map((record) => lastHeader(record.headers, 'x-replay-count'))).toEqual([
      '1',
      '4',
    ]);
  });

  it('sends what was kept in the folder, and what a filter selects', async () => {
    const value = new Uint8Array(9);
    folder.undelivered.push({
      kind: 'record',
      id: 'orders/0@9',
      topic: DLQ,
      key: null,
      value,
      headers: headers(9),
    });
    letter(1, [['x-error-code', 'no_value']]);
    letter(2);
    await redrive({ select: ids('kept:orders/0@9') });
    expect(sent().map((record) => record.value)).toEqual([value]);
    await redrive({ select: { filter: { ...ALL, reason: 'no_value' } } });
    expect(sent()).toHaveLength(2);
    await expect(redrive({ select: ids('kept:orders/0@77') })).rejects.toMatchObject({ code: 'not_found' });
  });

  it('tells two of one record apart that were kept: the topic was deleted and created again', async () => {
    for (const size of [9, 8]) {
      const at = ['x-failed-at', new Date(1_770_000_000_000 + size).toISOString()] as const;
      const value = new Uint8Array(size);
      folder.undelivered.push({
        kind: 'record',
        id: 'orders/0@9',
        topic: DLQ,
        key: null,
        value,
        headers: headers(9, [at]),
      });
    }
    const [first = '', second = ''] = idsOf((await list()).letters);
    expect(first).toBe('kept:orders/0@9');
    await redrive({ select: ids(second) });
    expect(sent().map(({ value }) => value?.length)).toEqual([8]);
    expect((await list()).letters.map(({ state }) => state)).toEqual(['open', 'redriven']);
    await redrive({ select: ids(first) });
    expect(sent().map(({ value }) => value?.length)).toEqual([8, 9]);
  });

  it('refuses ids that are not there before it sends anything', async () => {
    letter(0);
    // Compaction took what lay between.
    broker.append(DLQ, 0, { offset: 2, headers: headers(2) });
    const kept = {
      kind: 'record',
      id: 'orders/0@9',
      topic: DLQ,
      key: null,
      value: null,
      headers: headers(9),
    } as const;
    folder.undelivered.push(kept);
    for (const id of ['0:1', '0:3', '7:0', 'kept:orders/0@1']) {
      const select = ids('0:0', 'kept:orders/0@9', id);
      await expect(redrive({ select }), id).rejects.toMatchObject({ code: 'not_found' });
    }
    await expect(redrive({ toTopic: 'nowhere' })).rejects.toMatchObject({ code: 'topic_missing' });
    expect(sent()).toEqual([]);
  });

  it('is done by one at a time', async () => {
    letter(0);
    await using claim = await folder.claim('redrive');
    expect(claim).toBeDefined();
    await expect(redrive()).rejects.toMatchObject({ code: 'folder_in_use' });
    await redrive({ execute: false });
    expect(sent()).toEqual([]);
  });

  it('sends nothing once another one may be at work', async () => {
    letter(0);
    folder.claimLost = new Failure('store_unreachable', 'the session is gone');
    await expect(redrive()).rejects.toBe(folder.claimLost);
    expect(sent()).toEqual([]);
  });
});

describe('dlq discard', () => {
  it('marks with the reason, once for a letter and its copies, and redrive leaves it alone', async () => {
    letter(0);
    letter(0);
    letter(1);
    const options = { scope: SCOPE, ids: ['0:0', '0:1'].map(parseDeadLetterId) };
    const deadLetters = await findDeadLetters({ access: folder, broker }, options);
    expect(deadLetters).toHaveLength(1);
    await discardDeadLetters(folder, {
      deadLetters,
      why: 'a test',
      onNotice: () => undefined,
    });
    expect(folder.log).toMatchObject([{ kind: 'dead_letter', action: 'discarded', why: 'a test' }]);
    expect(await list()).toMatchObject({ total: 2, byState: { open: 1, discarded: 1, redriven: 0 } });
  });

  it('marks any number, in edits that fit through a socket', async () => {
    const deadLetters = Array.from({ length: 2_500 }, (_, i) => ({
      id: { kind: 'kept', of: String(i) } as const,
      topic: DLQ,
      mark: { id: `0:${i}`, key: `${i} ${'k'.repeat(390)}` },
      state: 'open' as const,
      origin: {} as DeadLetter['origin'],
    }));
    await discardDeadLetters(folder, { deadLetters, why: 'w', onNotice: () => undefined });
    expect(folder.log.length).toBeGreaterThan(1);
    for (const edit of folder.log) expect(JSON.stringify(edit).length).toBeLessThan(1024 * 1024);
    const marked = folder.log.flatMap((edit) => (edit.kind === 'dead_letter' ? edit.letters : []));
    expect(marked).toEqual(deadLetters.map(({ mark }) => mark));
  });
});
