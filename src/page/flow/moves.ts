import type { Decisions, Statuses } from '../../documents/http/live.ts';
import type { Overview } from '../../documents/http/overview.ts';
import { lanesOf, wayOfDecision, wayOfStep, WAY_OF_DEAD_LETTER, type Place } from './map.ts';

/** One trip of a dot along places of the map. */
export interface Move {
  readonly way: readonly Place[];
  readonly look: 'good' | 'bad' | 'moving';
}

/** More moves than are ever shown at once. */
const KEPT = 600;

let waiting: Move[] = [];
let count = 0;

/** The moves since the last call, and their true number, since only some of many are kept. */
export function takeMoves(): { readonly moves: readonly Move[]; readonly count: number } {
  const taken = { moves: waiting, count };
  waiting = [];
  count = 0;
  return taken;
}

function add(times: number, move: Move): void {
  count += times;
  const room = Math.max(0, KEPT - waiting.length);
  for (let left = Math.min(times, room); left > 0; left--) waiting.push(move);
}

export function moveDecided({ accepted, rejected }: Decisions): void {
  add(accepted, { way: wayOfDecision(true), look: 'good' });
  add(rejected, { way: wayOfDecision(false), look: 'bad' });
}

export function moveStatuses({ orders }: Statuses): void {
  for (const { step } of orders) {
    const way = wayOfStep(step);
    if (way === undefined) continue;
    const end = way.at(-1) ?? '';
    const isBad = end === 'end:failed' || end === 'end:rejected';
    add(1, { way, look: isBad ? 'bad' : end.startsWith('end:') ? 'good' : 'moving' });
  }
}

type Consumer = Overview['consumer'];

/** Adds moves for events of tills and suppliers, by how far their topics were read. */
export function moveSources(before: Consumer, after: Consumer): void {
  // The offsets of another process are not comparable.
  if (after === null || before?.pid !== after.pid) return;
  const [earlier, now] = [stockOf(before), stockOf(after)];
  const stock = now === undefined ? [] : [{ name: 'stock', topics: now.topics }];
  for (const lane of lanesOf(stock, () => null)) {
    const read = (of: ReturnType<typeof stockOf>): number =>
      (of?.partitions ?? []).reduce((sum, { topic, next }) => sum + (topic === lane.topic ? next : 0), 0);
    const topic = `topic:stock/${lane.topic}`;
    add(Math.max(0, read(now) - read(earlier)), {
      way: [`source:${lane.source}`, topic, 'processor:stock'],
      look: 'moving',
    });
  }
}

function stockOf(consumer: NonNullable<Consumer>) {
  return consumer.processors.find(({ processor }) => processor === 'stock');
}

export function moveDeadLetters(letters: number): void {
  add(Math.max(0, letters), { way: WAY_OF_DEAD_LETTER, look: 'bad' });
}
