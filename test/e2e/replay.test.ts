import { expect, test } from 'vitest';
import { failureOf, fill, finish, parseLines, openShop, type Shop } from '../support/cli.ts';
import { createTopic, pens, readTopic, sendRaw } from '../support/topics.ts';
import { waitFor } from '../support/wait.ts';

/** Eight orders of alice for a pen each, accepted; two of bob, rejected. */
async function decidedShop(): Promise<Shop> {
  const shop = openShop();
  fill(shop, { alice: 'paid', bob: 'unpaid' }, { pen: 50 });
  await createTopic(shop.topic, 1);
  const ofBob = pens('b', 2).map((message) => ({
    ...message,
    value: String(message.value).replace('alice', 'bob'),
  }));
  await sendRaw(shop.topic, [...pens('a', 8), ...ofBob]);
  await shop.ok('consume --until-end');
  return shop;
}

const idsOf = async (topic: string) => (await readTopic(topic)).map(({ key }) => String(key));

test('a dry run says what would go and what effect it would have; sent, it changes nothing', async () => {
  const shop = await decidedShop();
  const dry = await shop.lines('replay --item pen --limit 3 --dry-run');
  expect(dry.slice(0, -1).map(({ type, order_id }) => [type, order_id])).toEqual(
    ['a-0', 'a-1', 'a-2'].map((id) => ['would_send', id]),
  );
  const effect = { selected: 3, failed: 0, already_decided: 3, undecided: 0, interrupted: false };
  expect(dry.at(-1)).toMatchObject({ dry_run: true, sent: 0, ...effect });
  const words = await shop.ok('replay --limit 3 --dry-run');
  expect(words.stdout).toContain('would replay 3 orders');
  expect(words.stdout).toContain(
    '3 ids decided already in this folder: consuming them again changes nothing',
  );
  expect(await idsOf(shop.topic)).toHaveLength(10);

  const stock = shop.stock();
  const sent = (await shop.lines('replay --limit 3')).at(-1);
  expect(sent).toMatchObject({ dry_run: false, sent: 3, ...effect });
  const replayed = (await readTopic(shop.topic)).slice(10);
  expect(replayed.map(({ key }) => String(key))).toEqual(['a-0', 'a-1', 'a-2']);
  for (const { headers } of replayed) {
    expect(String(headers['x-replay-id'])).toBe(sent?.replay_id);
    expect(String(headers['x-replay-count'])).toBe('1');
    expect(String(headers['x-replayed-at'])).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  }
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({
    read: 3,
    duplicates: 3,
    conflicts: 0,
  });
  expect(shop.stock()).toEqual(stock);
});

test('the flags that select go together, and rejected orders are tried again under new ids', async () => {
  const shop = await decidedShop();
  const orders = shop.jsonl('orders.jsonl');
  const at = (index: number) => String(orders[index]?.accepted_at);
  const dry = async (flags: string) =>
    (await shop.lines(`replay --dry-run ${flags}`)).slice(0, -1).map(({ order_id }) => order_id);
  expect(await dry('--user bob')).toEqual([]);
  expect(await dry('--order a-5')).toEqual(['a-5']);
  expect(await dry(`--since ${at(0)}`)).toHaveLength(8);
  expect(await dry(`--until ${at(0)}`)).toEqual([]);

  await shop.ok('user update --user bob --status paid');
  const summary = (await shop.lines('replay --rejected --user bob --as-new')).at(-1);
  expect(summary).toMatchObject({ sent: 2, already_decided: 0, undecided: 2 });
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 2, accepted: 2 });
  expect(shop.stock()).toEqual({ pen: 40 });
  // Run again by a user who is not sure whether it ran: nothing is fulfilled twice.
  const text = await shop.ok('replay --rejected --user bob --as-new');
  expect(text.stdout).toContain('skipped b-0: accepted as b-0.r1\n');
  expect(text.stdout).toContain('left out 2 orders whose last try was accepted: --again');
  expect((await shop.lines('consume --until-end'))[0]).toMatchObject({ read: 0 });
  const refused = await shop.run('replay --rejected --order b-0 --as-new');
  expect(refused.code).toBe(4);
  expect(refused.stderr).toContain('--again');
  const explained = await shop.json('order explain b-0');
  expect(explained).toMatchObject({
    retry_of: null,
    retries: [{ order_id: 'b-0.r1', status: 'accepted' }],
    explanation: expect.stringContaining('Tried again as b-0.r1 (accepted).') as string,
  });
  expect(await shop.json('order explain b-0.r1')).toMatchObject({
    retry_of: 'b-0',
    explanation: expect.stringContaining('It is a retry of order b-0.') as string,
  });
  const once = await shop.ok('replay --rejected --order b-0 --as-new --again --dry-run');
  expect(once.stdout).toContain('would send b-0.r2 ');
  expect(once.stdout).toContain('1 new id: consume will process each exactly once');
});

test('Ctrl-C at a rate of two a second, and on from there: every order once, none beyond the limit', async () => {
  const shop = await decidedShop();
  const elsewhere = `${shop.topic}-copy`;
  const flags = `--to-topic ${elsewhere} -o json`;
  const replay = shop.start(`replay --limit 6 --delay 0.5 ${flags}`);
  await waitFor('two orders', () => parseLines(replay.stdout()).length >= 2);
  replay.signal('SIGINT');
  const stopped = await finish(replay, 'replay', 12_000);
  expect(stopped.code, stopped.stderr).toBe(130);
  const summary = parseLines(stopped.stdout).at(-1);
  expect(summary).toMatchObject({
    type: 'summary',
    interrupted: true,
    resume_after: `a-${Number(summary?.sent) - 1}`,
  });
  const [, resume = ''] = /(--resume-after .*)$/.exec(String(failureOf(stopped).fix)) ?? [];
  expect(resume).toBe(`--resume-after ${String(summary?.resume_after)} --limit ${6 - Number(summary?.sent)}`);
  await shop.ok(`replay ${resume} ${flags}`);
  expect((await idsOf(elsewhere)).sort()).toEqual(['a-0', 'a-1', 'a-2', 'a-3', 'a-4', 'a-5']);
  expect(await idsOf(shop.topic)).toHaveLength(10);
});
