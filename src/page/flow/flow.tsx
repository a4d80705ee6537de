import { useEffect, useRef, useState } from 'preact/hooks';
import type { Overview } from '../../documents/http/overview.ts';
import { isStale, listed, overview } from '../data/state.ts';
import { grouped } from '../text.ts';
import { animate, type Drawn } from './animate.ts';
import { ProcessorDetails } from './details.tsx';
import { lanesOf, linesOf, processorsOf, ROWS, topicPlace, type Lane, type Processor } from './map.ts';

/** From those who send to the shop, through topics and processors, to what becomes of it. */
export function Flow() {
  const [opened, open] = useState<string | null>(null);
  const seen = overview.value;
  const consumer = seen?.consumer ?? null;
  const all = processorsOf(consumer?.processors ?? null, listed.value?.processors ?? []);
  const lanes = lanesOf(all, waitingIn);
  const state = stateNow();
  const drawn: Drawn = {
    lines: linesOf(lanes, all),
    queues:
      state === 'working'
        ? []
        : lanes
            .filter(({ waiting }) => (waiting ?? 0) > 0)
            .map(({ processor, topic, waiting }) => ({
              topic: topicPlace(processor, topic, lanes),
              processor: `processor:${processor}`,
              count: waiting ?? 0,
            })),
  };
  return (
    <section class="flow card" aria-label="The flow of orders">
      <div class="map">
        <Canvas drawn={drawn} />
        <div class="sources">
          {[...new Set(lanes.map(({ source }) => source))].map((source) => (
            <div key={source} class="spot" data-place={`source:${source}`}>
              {source}
            </div>
          ))}
        </div>
        <Topics lanes={lanes} isAway={seen?.kafka.answers === false} />
        <Process all={all} state={state} opened={opened} open={open} />
        <Ends />
      </div>
      <Parts />
      {opened === null ? null : <ProcessorDetails name={opened} close={() => open(null)} />}
    </section>
  );
}

/** Of `up`: what has just ended, and why. */
function Parts() {
  const troubled = (overview.value?.parts ?? []).filter(
    ({ pid, problem }) => pid === null || problem !== null,
  );
  if (troubled.length === 0) return null;
  return (
    <ul class="parts" aria-label="Processes">
      {troubled.map(({ name, pid, problem }) => (
        <li key={name}>
          <b>{name}</b> {problem === null ? '' : `${problem} · `}
          {pid === null ? 'it is started again' : `it is back as process ${pid}`}
        </li>
      ))}
    </ul>
  );
}

/** By partition while it runs, else as the server has asked the brokers. */
function waitingIn(processor: string, topic: string): number | null {
  const running = overview.value?.consumer?.processors.find((one) => one.processor === processor);
  if (running === undefined) {
    const resting = listed.value?.processors.find((one) => one.processor === processor);
    // Of several topics together it is one number.
    return resting?.topics.length === 1 || resting?.lag === 0 ? resting.lag : null;
  }
  if (running.lag === null) return null;
  return running.partitions.reduce((sum, one) => sum + (one.topic === topic ? one.lag : 0), 0);
}

/** Before the first answer of the server it is not known whether something runs. */
type State = 'unknown' | 'working' | 'waiting' | 'gone';

function stateNow(): State {
  const seen = overview.value;
  if (seen === null || isStale.value) return 'unknown';
  if (seen.consumer === null) return 'gone';
  return seen.consumer.state === 'consuming' ? 'working' : 'waiting';
}

function Canvas({ drawn }: { drawn: Drawn }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const latest = useRef(drawn);
  latest.current = drawn;
  useEffect(() => (canvas.current === null ? undefined : animate(canvas.current, () => latest.current)), []);
  return <canvas ref={canvas} aria-hidden="true" />;
}

function Topics({ lanes, isAway }: { lanes: readonly Lane[]; isAway: boolean }) {
  return (
    <div class={`topics ${isAway ? 'away' : ''}`}>
      {lanes.map(({ topic, processor, waiting }) => (
        <div key={topic} class="spot pipe" data-place={topicPlace(processor, topic, lanes)}>
          <b>{topic}</b>
          <small>
            {waiting === null ? 'not known' : waiting === 0 ? 'none waits' : `${grouped(waiting)} wait`}
          </small>
        </div>
      ))}
      {isAway ? <small class="bad">the broker does not answer</small> : null}
    </div>
  );
}

/** What runs in one process has one outline. */
function Process({
  all,
  state,
  opened,
  open,
}: {
  all: readonly Processor[];
  state: State;
  opened: string | null;
  open: (name: string | null) => void;
}) {
  const named = new Set(ROWS.flat());
  const rows = [...ROWS, all.map(({ name }) => name).filter((name) => !named.has(name))]
    .map((row) => row.flatMap((name) => all.find((one) => one.name === name) ?? []))
    .filter((row) => row.length > 0);
  return (
    <div class={`process ${state}`}>
      {rows.map((row) => (
        <div key={row[0]?.name} class="row-of">
          {row.map(({ name, rate, lag }) => (
            <button
              key={name}
              type="button"
              class="spot processor"
              data-place={`processor:${name}`}
              aria-expanded={opened === name}
              onClick={() => open(opened === name ? null : name)}
            >
              <b>{name}</b>
              <small>{wordsOf(state, { rate, lag })}</small>
            </button>
          ))}
        </div>
      ))}
      <p class="caption">{captionOf(state, overview.value?.consumer ?? null)}</p>
    </div>
  );
}

function wordsOf(state: State, { rate, lag }: Pick<Processor, 'rate' | 'lag'>): string {
  if (state === 'working' || state === 'waiting') return rateInWords(rate, lag);
  if (state === 'unknown') return 'not known';
  return (lag ?? 0) > 0 ? `stopped · ${grouped(lag ?? 0)} wait` : 'stopped';
}

function rateInWords(rate: number | null, lag: number | null): string {
  const perSecond = rate === null ? '–' : rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate));
  return lag === null || lag === 0 ? `${perSecond}/s` : `${perSecond}/s · ${grouped(lag)} wait`;
}

function captionOf(state: State, consumer: Overview['consumer']): string {
  if (state === 'unknown')
    return consumer === null ? 'not known yet' : `process ${consumer.pid}, when it was last seen`;
  if (consumer === null) return 'no process: orders wait in Kafka';
  if (state === 'working') return `process ${consumer.pid}`;
  return consumer.waiting_for === null
    ? `process ${consumer.pid} is ${consumer.state}`
    : `process ${consumer.pid} waits for the ${consumer.waiting_for}`;
}

function Ends() {
  const orders = overview.value?.books?.orders ?? null;
  const letters = overview.value?.kafka.dead_letters ?? null;
  const end = (place: string, count: number | null, text: string, look: string) => (
    <p class={`spot ${look}`} data-place={`end:${place}`}>
      <b>{count === null ? '–' : grouped(count)}</b> {text}
    </p>
  );
  return (
    <div class="ends">
      {end('completed', orders?.COMPLETED ?? null, 'completed', 'good')}
      {end('failed', orders?.FAILED ?? null, 'failed', 'bad')}
      {end('rejected', orders?.REJECTED ?? null, 'rejected', 'bad')}
      {orders === null || orders.CANCELLED === 0
        ? null
        : end('cancelled', orders.CANCELLED, 'cancelled', 'quiet')}
      {end('dead', letters, letters === 1 ? 'dead letter' : 'dead letters', 'quiet')}
    </div>
  );
}
