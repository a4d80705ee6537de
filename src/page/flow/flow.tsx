import { useEffect, useRef, useState } from 'preact/hooks';
import type { Overview } from '../../documents/http/overview.ts';
import { isStale, listed, overview, processors } from '../data/state.ts';
import { grouped } from '../text.ts';
import { animate, type Drawn } from './animate.ts';
import { ProcessorDetails } from './details.tsx';
import { isApart, lanesOf, linesOf, ROWS, topicPlace, type Lane, type Processor, type State } from './map.ts';

/** The flow from the senders through topics and processors to the outcomes. */
export function Flow() {
  const [opened, open] = useState<string | null>(null);
  const seen = overview.value;
  const all = processors.value;
  const lanes = lanesOf(all, waitingIn);
  const resting = new Set(all.filter(({ state }) => state !== 'working').map(({ name }) => name));
  const drawn: Drawn = {
    lines: linesOf(lanes, all),
    queues: lanes
      .filter(({ processor, waiting }) => resting.has(processor) && (waiting ?? 0) > 0)
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
        <Process all={all} opened={opened} open={open} />
        <Ends />
      </div>
      <Parts />
      {opened === null ? null : <ProcessorDetails name={opened} close={() => open(null)} />}
    </section>
  );
}

/** Processes of `up` that have just ended, and why. */
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
          {pid === null ? 'it is being restarted' : `it was restarted as process ${pid}`}
        </li>
      ))}
    </ul>
  );
}

/** The lag by partition if the processor runs, otherwise as the brokers report it; null: not known (any more). */
function waitingIn(processor: string, topic: string): number | null {
  if (isStale.value) return null;
  const running = overview.value?.consumer?.processors.find((one) => one.processor === processor);
  if (running === undefined) {
    const resting = listed.value?.processors.find((one) => one.processor === processor);
    // The lag of several topics is known only as a total.
    return resting?.topics.length === 1 || resting?.lag === 0 ? resting.lag : null;
  }
  if (running.lag === null) return null;
  return running.partitions.reduce((sum, one) => sum + (one.topic === topic ? one.lag : 0), 0);
}

/** The combined state of all processors. */
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

/** Processors that run in one process share an outline. */
function Process({
  all,
  opened,
  open,
}: {
  all: readonly Processor[];
  opened: string | null;
  open: (name: string | null) => void;
}) {
  const isEachItsOwn = isApart(all, overview.value?.parts ?? null);
  const state = stateNow();
  const named = new Set(ROWS.flat());
  const rows = [...ROWS, all.map(({ name }) => name).filter((name) => !named.has(name))]
    .map((row) => row.flatMap((name) => all.find((one) => one.name === name) ?? []))
    .filter((row) => row.length > 0);
  return (
    <div class={isEachItsOwn ? 'process apart' : `process ${state}`}>
      {rows.map((row) => (
        <div key={row[0]?.name} class="row-of">
          {row.map((one) => (
            <button
              key={one.name}
              type="button"
              class={`spot processor ${one.state}`}
              data-place={`processor:${one.name}`}
              aria-expanded={opened === one.name}
              onClick={() => open(opened === one.name ? null : one.name)}
            >
              <b>{one.name}</b>
              <small>{wordsOf(one)}</small>
              {isEachItsOwn ? <small>{pidsInWords(one.pids)}</small> : null}
            </button>
          ))}
        </div>
      ))}
      {isEachItsOwn ? null : <p class="caption">{captionOf(state, overview.value?.consumer ?? null)}</p>}
    </div>
  );
}

function pidsInWords(pids: readonly number[]): string {
  if (pids.length === 0) return 'no process';
  return pids.length === 1 ? `process ${pids[0] ?? ''}` : `${pids.length} processes`;
}

function wordsOf({ state, rate, lag }: Processor): string {
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
      {end('dead', letters, 'dead-lettered', 'quiet')}
    </div>
  );
}
