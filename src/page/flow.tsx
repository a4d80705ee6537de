import { useEffect, useRef } from 'preact/hooks';
import type { Overview } from '../documents/http/overview.ts';
import { flow, overview } from './data/state.ts';
import { grouped } from './text.ts';

/** Up to this rate each order is a dot; above it they are a stream. */
const DOTS_PER_SECOND = 60;
const TRAVEL_MS = 1_400;

/** From the topic through the processors to the decisions. */
export function Flow() {
  const consumer = overview.value?.consumer ?? null;
  const books = overview.value?.books ?? null;
  // Before the first answer of the server it is not known whether something runs.
  const isMissing = overview.value !== null && consumer === null;
  const rate = consumer?.processors.find(({ processor }) => processor === 'orders')?.records_per_second ?? 0;
  const lag = consumer?.lag ?? null;
  return (
    <section class="flow" aria-label="The flow of orders">
      <div class="stage topic">
        <h3>orders</h3>
        <p>{lag === null ? '–' : grouped(lag)}</p>
        <small>waiting in Kafka</small>
      </div>
      <Pipe isStill={isMissing} rate={rate} />
      <div class={`stage processors ${isMissing ? 'hollow' : ''}`}>
        <h3>{isMissing ? 'no processor' : 'processors'}</h3>
        <p>{rate < 10 ? rate.toFixed(1) : grouped(Math.round(rate))}/s</p>
        <small>
          {isMissing
            ? 'orders wait'
            : consumer === null
              ? 'not known yet'
              : `${consumer.processors.length} in process ${consumer.pid}`}
        </small>
      </div>
      <Pipe isStill={isMissing} rate={rate} />
      <div class="stage ends">
        <p class="good">
          <b>{books === null ? '–' : grouped(books.accepted)}</b> completed
        </p>
        <p class="bad">
          <b>{books === null ? '–' : grouped(books.rejected)}</b> rejected
        </p>
        <p class="quiet">
          <b>
            {consumer === null
              ? '–'
              : grouped(consumer.processors.reduce((sum, one) => sum + one.dead_lettered, 0))}
          </b>{' '}
          dead letters since its start
        </p>
      </div>
      {consumer === null ? null : <Services processors={consumer.processors} pid={consumer.pid} />}
    </section>
  );
}

/** All that run in one process. */
function Services({ processors, pid }: Pick<NonNullable<Overview['consumer']>, 'processors' | 'pid'>) {
  return (
    <details class="services">
      <summary>
        {processors.length} processors in process {pid}
      </summary>
      <div class="scrolls" tabIndex={0} role="region" aria-label="Processors">
        <table>
          <thead>
            <tr>
              <th scope="col">processor</th>
              <th scope="col">records/s</th>
              <th scope="col">lag</th>
              <th scope="col">read</th>
              <th scope="col">dead letters</th>
            </tr>
          </thead>
          <tbody>
            {processors.map(({ processor, records_per_second, lag, read, dead_lettered }) => (
              <tr key={processor}>
                <td>{processor}</td>
                <td>{records_per_second.toFixed(1)}</td>
                <td>{lag === null ? '–' : grouped(lag)}</td>
                <td>{grouped(read)}</td>
                <td>{grouped(dead_lettered)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

/** Orders on their way, drawn on a canvas: hundreds of elements would be slow. */
function Pipe({ isStill, rate }: { isStill: boolean; rate: number }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const isStillNow = useRef(isStill);
  isStillNow.current = isStill;
  useEffect(
    () => (canvas.current === null ? undefined : animate(canvas.current, () => isStillNow.current)),
    [],
  );
  return <canvas ref={canvas} class="pipe" role="img" aria-label={`${rate.toFixed(1)} orders a second`} />;
}

interface Dot {
  readonly from: number;
  readonly lane: number;
  readonly isRejected: boolean;
}

function animate(canvas: HTMLCanvasElement, isStill: () => boolean): () => void {
  const context = canvas.getContext('2d');
  if (context === null) return () => undefined;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  let dots: Dot[] = [];
  let seen = flow.value;
  let frame = 0;
  const draw = (at: number): void => {
    const { accepted, rejected } = flow.value;
    const [good, bad] = [accepted - seen.accepted, rejected - seen.rejected];
    seen = flow.value;
    if (good + bad <= DOTS_PER_SECOND) {
      for (let left = good + bad; left > 0; left--) {
        dots.push({ from: at + Math.random() * 300, lane: Math.random(), isRejected: left <= bad });
      }
    } else {
      for (let left = DOTS_PER_SECOND; left > 0; left--) {
        dots.push({
          from: at + Math.random() * 900,
          lane: Math.random(),
          isRejected: left <= (DOTS_PER_SECOND * bad) / (good + bad),
        });
      }
    }
    dots = dots.filter(({ from }) => at - from < TRAVEL_MS);
    paint(canvas, context, dots, at, isStill());
    frame = requestAnimationFrame(draw);
  };
  if (!isCalm) frame = requestAnimationFrame(draw);
  return () => cancelAnimationFrame(frame);
}

function paint(
  canvas: HTMLCanvasElement,
  context: CanvasRenderingContext2D,
  dots: readonly Dot[],
  at: number,
  isStill: boolean,
): void {
  const scale = devicePixelRatio;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== width * scale || canvas.height !== height * scale) {
    canvas.width = width * scale;
    canvas.height = height * scale;
  }
  const colours = getComputedStyle(canvas);
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  const isWide = width > height;
  for (const { from, lane, isRejected } of dots) {
    const way = (at - from) / TRAVEL_MS;
    if (way < 0) continue;
    const along = isStill ? Math.min(way, 0.4) : way;
    const across = 0.25 + lane * 0.5;
    const [x, y] = isWide ? [along * width, across * height] : [across * width, along * height];
    context.fillStyle = colours.getPropertyValue(isRejected ? '--bad' : '--good');
    context.beginPath();
    context.arc(x, y, 3, 0, 2 * Math.PI);
    context.fill();
  }
}
