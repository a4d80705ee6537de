import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ReplaySummary } from '../../documents/summary.ts';
import type { ConsumeSummary, DecidedLine, Evidence } from './checks.ts';
import type { Player, Stage } from './stage.ts';

const PUT_IN = { book: 300, pen: 300 };
const EDITED = { pen: 50, mug: 25 };
const INVENTORY = 'storage/inventory.csv';
/** Decisions before the edit by hand, decisions from then to the kill, and orders sent after the kill. */
const BEFORE_EDIT = 40;
const BEFORE_KILL = 120;
const AFTER_KILL = 120;

/** Runs the demonstration. @returns the evidence to check @throws Failure check_failed, interrupted */
export async function play(stage: Stage): Promise<Evidence> {
  stage.title('1. Two users, one of whom has not paid, and something to sell');
  await stage.run('user add --user alice --status paid');
  await stage.run('user add --user bob --status unpaid');
  for (const [item, quantity] of Object.entries(PUT_IN)) {
    await stage.run(`inventory add --item ${item} --quantity ${quantity}`);
  }
  const inLogs = await killInTheMiddle(stage);

  stage.title('5. The consumer is started again, and continues from the last commit');
  const restarted = await consume(stage, 'consume --until-end');
  stage.output(sumInWords({ inLogs, decided: decided(stage), read: restarted.read, sent: sent(stage) }));
  const logsBefore = logs(stage);

  stage.title('6. Back to the beginning: every order is read a second time');
  const again = await consume(stage, 'consume --reset-to earliest --until-end');

  stage.title('7. A replay: every accepted order is sent a second time');
  const replayed = summaryOf(await stage.run('replay -o json', { toFile: 'replay.jsonl' }));
  stage.output(replayInShort(replayed));
  const afterReplay = await consume(stage, 'consume --until-end');

  stage.title('8. The remaining stock');
  const inventory = await stage.run('inventory show');
  return {
    sent: linesOf<{ type: string; order_id: string }>(stage.read('sent.jsonl'))
      .filter(({ type }) => type === 'sent')
      .map((line) => line.order_id),
    accepted: linesOf<DecidedLine>(stage.read('storage/orders.jsonl')),
    rejected: linesOf<DecidedLine>(stage.read('storage/rejections.jsonl')),
    putIn: PUT_IN,
    edited: EDITED,
    stock: Object.fromEntries(
      [...inventory.matchAll(/^(\S+) +(\d+)$/gm)].map(([, item = '', quantity]) => [item, Number(quantity)]),
    ),
    inventoryCsv: stage.read(INVENTORY),
    logsBefore,
    logsAfter: logs(stage),
    restarted,
    again,
    afterReplay,
    replayed: replayed.sent,
  };
}

/**
 * While orders arrive continuously, the stock is edited by hand and the consumer is killed.
 *
 * @returns the number of decisions in the logs after the kill
 */
async function killInTheMiddle(stage: Stage): Promise<number> {
  stage.title('2. A consumer runs, and orders arrive');
  const consumer = stage.start('consume');
  await stage.until('the consumer to start', () => consumer.stderr().includes('consuming '), [consumer]);
  const producer = stage.start('produce --count 0 --delay 0.005 -o json', 'sent.jsonl');
  const both = [consumer, producer];
  await stage.until(`${BEFORE_EDIT} decisions`, () => decided(stage) >= BEFORE_EDIT, both);
  stage.output(firstDecisions(consumer));

  stage.title('3. Meanwhile inventory.csv is edited by hand: 50 pens more, and mugs');
  editByHand(stage);
  const untilKill = decided(stage) + BEFORE_KILL;
  await stage.until(`${untilKill} decisions`, () => decided(stage) >= untilKill, both);

  stage.title('4. In the middle of its work the consumer is killed, and orders keep arriving');
  stage.command(`kill -9 ${consumer.pid}`);
  consumer.signal('SIGKILL');
  await consumer.ended;
  const untilEnd = sent(stage) + AFTER_KILL;
  await stage.until(`${untilEnd} orders`, () => sent(stage) >= untilEnd, [producer]);
  producer.signal('SIGINT');
  await producer.ended;
  const inLogs = decided(stage);
  stage.output(`${sent(stage)} orders sent; ${inLogs} decisions in the logs`);
  return inLogs;
}

/** Saves as an editor does: writes a new file and renames it over the old one. */
function editByHand(stage: Stage): void {
  const before = stage.read(INVENTORY);
  const after = before.replace(/^pen,(\d+)/m, (_, pens: string) => `pen,${Number(pens) + EDITED.pen}`);
  const saved = `${after}mug,${EDITED.mug}\n`;
  const file = join(stage.folder, INVENTORY);
  writeFileSync(`${file}.edited`, saved);
  renameSync(`${file}.edited`, file);
  stage.output(`${rowsIn(before)}  →  ${rowsIn(saved)}`);
}

function rowsIn(csv: string): string {
  return csv.trimEnd().split('\n').slice(1).join('  ');
}

async function consume(stage: Stage, args: string): Promise<ConsumeSummary> {
  const summary = summaryOf(await stage.run(`${args} -o json`, { toFile: 'consume.json' }));
  stage.output(inShort(summary));
  return summary;
}

/** The sum of decisions before the kill and records read after it, compared with the orders sent. */
export function sumInWords(of: {
  readonly inLogs: number;
  readonly decided: number;
  readonly read: number;
  readonly sent: number;
}): string {
  const before = of.decided - of.read;
  const inJournal = before - of.inLogs;
  const parts = [
    `${of.inLogs} in the logs`,
    // Some commits may not have been written to the logs when the consumer was killed.
    ...(inJournal > 0 ? [`${inJournal} that only the journal had when the consumer was killed`] : []),
    `${of.read} read now`,
  ];
  return `${parts.join(' + ')} = ${of.decided} decided, of ${of.sent} sent`;
}

/** A summary of consume or replay, each of which has some of these fields. */
type Summary = ConsumeSummary & Pick<ReplaySummary, 'sent' | 'already_decided'>;

function summaryOf(stdout: string): Summary {
  return JSON.parse(lastLine(stdout)) as Summary;
}

function inShort({ read, accepted, rejected, duplicates, conflicts, dead_lettered: dead }: Summary): string {
  return (
    `read ${read}: ${accepted} accepted, ${rejected} rejected, ${duplicates} duplicates, ` +
    `${conflicts} conflicts, ${dead} dead letters`
  );
}

function replayInShort({ sent: count, already_decided: decidedAlready }: Summary): string {
  return `sent ${count}, ${decidedAlready} of them decided already`;
}

function firstDecisions(consumer: Player): string {
  const lines = consumer.stderr().split('\n');
  return [...lines.filter((line) => /^(accepted|warning: order) /.test(line)).slice(0, 4), '…'].join('\n');
}

function logs(stage: Stage): string {
  return stage.read('storage/orders.jsonl') + stage.read('storage/rejections.jsonl');
}

function decided(stage: Stage): number {
  return linesIn(logs(stage));
}

/** Counts sent orders, but not the summary, which the producer prints last. */
function sent(stage: Stage): number {
  return stage.read('sent.jsonl').split('{"type":"sent"').length - 1;
}

function linesIn(text: string): number {
  return text.split('\n').length - 1;
}

function lastLine(text: string): string {
  return text.trimEnd().split('\n').at(-1) ?? '';
}

function linesOf<T>(text: string): T[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
