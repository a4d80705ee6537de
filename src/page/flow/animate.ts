import { takeMoves, type Move } from './moves.ts';
import type { Place } from './map.ts';

/** Up to this rate each order is a dot; above it, orders are drawn as a stream. */
const DOTS_PER_SECOND = 60;
const LEG_MS = 600;
/** Dots of orders that arrive in one event start spread over this time. */
const SPREAD_MS = 700;
/** The same, if they waited in a queue. */
const RUSH_MS = 200;
const MEASURE_EVERY_MS = 500;
/** At most this many dots are drawn in a queue. */
const QUEUE = 24;
const RADIUS = 3;

/** What the map shows besides the moves. */
export interface Drawn {
  readonly lines: readonly (readonly [from: Place, to: Place])[];
  /** Records that wait for processors that are not working. */
  readonly queues: readonly { readonly topic: Place; readonly processor: Place; readonly count: number }[];
}

interface Dot extends Move {
  readonly startsAt: number;
  readonly lane: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** Draws on a canvas over the map, since hundreds of elements would be slow. @returns a function that ends it */
export function animate(canvas: HTMLCanvasElement, drawn: () => Drawn): () => void {
  const context = canvas.getContext('2d');
  if (context === null) return () => undefined;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  const map = new MapOnScreen(canvas);
  let dots: Dot[] = [];
  /** Moves of the last second. */
  let recent: { at: number; count: number }[] = [];
  let queuedAt = -Infinity;
  let frame = 0;
  const draw = (at: number): void => {
    frame = requestAnimationFrame(draw);
    const { moves, count } = takeMoves();
    map.measure(at);
    if (canvas.width === 0) return;
    if (count > 0) recent.push({ at, count });
    recent = recent.filter((one) => at - one.at < 1_000);
    const perSecond = recent.reduce((sum, one) => sum + one.count, 0);
    const { lines, queues } = drawn();
    if (queues.length > 0) queuedAt = at;
    const spread = at - queuedAt < 2_000 ? RUSH_MS : SPREAD_MS;
    if (!isCalm && perSecond <= DOTS_PER_SECOND) {
      for (const move of moves)
        dots.push({ ...move, startsAt: at + Math.random() * spread, lane: Math.random() - 0.5 });
    }
    dots = dots.filter(({ startsAt, way }) => at - startsAt < LEG_MS * (way.length - 1));
    map.clear(context);
    const flowing = perSecond > DOTS_PER_SECOND ? perSecond : 0;
    for (const [from, to] of lines) drawLine(context, map, [from, to], { at, flowing, isCalm });
    for (const queue of queues) drawQueue(context, map, queue);
    for (const dot of dots) drawDot(context, map, dot, at);
  };
  frame = requestAnimationFrame(draw);
  return () => cancelAnimationFrame(frame);
}

/** Positions of places on the canvas, and its colours; measured only now and then, since measuring is slow. */
class MapOnScreen {
  readonly #canvas: HTMLCanvasElement;
  readonly #points = new Map<Place, Point>();
  #colours: CSSStyleDeclaration | null = null;
  #palette: Readonly<Record<string, string>> = {};
  #measuredAt = -Infinity;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
  }

  measure(at: number): void {
    if (at - this.#measuredAt < MEASURE_EVERY_MS) return;
    this.#measuredAt = at;
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    const scale = devicePixelRatio;
    if (
      this.#canvas.width !== Math.round(width * scale) ||
      this.#canvas.height !== Math.round(height * scale)
    ) {
      this.#canvas.width = Math.round(width * scale);
      this.#canvas.height = Math.round(height * scale);
    }
    this.#points.clear();
    for (const element of this.#canvas.parentElement?.querySelectorAll<HTMLElement>('[data-place]') ?? []) {
      const box = element.getBoundingClientRect();
      const x = box.left - left + box.width / 2;
      this.#points.set(element.dataset.place ?? '', { x, y: box.top - top + box.height / 2 });
    }
    this.#colours = getComputedStyle(this.#canvas);
    this.#palette = Object.fromEntries(
      ['good', 'bad', 'moving', 'line', 'accent'].map((name) => [
        name,
        this.#colours?.getPropertyValue(`--${name}`) ?? '',
      ]),
    );
  }

  clear(context: CanvasRenderingContext2D): void {
    const scale = devicePixelRatio;
    context.setTransform(scale, 0, 0, scale, 0, 0);
    context.clearRect(0, 0, this.#canvas.width, this.#canvas.height);
  }

  point(place: Place): Point | undefined {
    return this.#points.get(place);
  }

  colour(name: string): string {
    return this.#palette[name] ?? '';
  }
}

function drawLine(
  context: CanvasRenderingContext2D,
  map: MapOnScreen,
  [from, to]: readonly [Place, Place],
  { at, flowing, isCalm }: { at: number; flowing: number; isCalm: boolean },
): void {
  const [a, b] = [map.point(from), map.point(to)];
  if (a === undefined || b === undefined) return;
  const stroke = (colour: string, width: number): void => {
    context.strokeStyle = map.colour(colour);
    context.lineWidth = width;
    context.beginPath();
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
    context.stroke();
  };
  stroke('line', 2);
  if (flowing === 0) return;
  // A higher rate gives a wider line.
  const width = Math.min(9, 2 + Math.log10(flowing / DOTS_PER_SECOND) * 3);
  context.setLineDash([width, width * 1.6]);
  context.lineDashOffset = isCalm ? 0 : -at / 8;
  stroke(to === 'end:rejected' ? 'bad' : 'good', width);
  context.setLineDash([]);
}

function drawQueue(
  context: CanvasRenderingContext2D,
  map: MapOnScreen,
  { topic, processor, count }: Drawn['queues'][number],
): void {
  const [a, b] = [map.point(topic), map.point(processor)];
  if (a === undefined || b === undefined) return;
  // If the map is one column, a queue would cover other places; the numbers show it instead.
  if (Math.abs(b.y - a.y) > Math.abs(b.x - a.x)) return;
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const step = (2.6 * RADIUS) / Math.max(1, length);
  // In three rows, about halfway between the two places.
  for (let at = 0; at < Math.min(count, QUEUE); at++) {
    const along = 0.62 - Math.floor(at / 3) * step;
    const across = ((at % 3) - 1) * 2.6 * RADIUS;
    const x = a.x + (b.x - a.x) * along - ((b.y - a.y) / length) * across;
    const y = a.y + (b.y - a.y) * along + ((b.x - a.x) / length) * across;
    fillDot(context, x, y, map.colour('moving'));
  }
}

function drawDot(context: CanvasRenderingContext2D, map: MapOnScreen, dot: Dot, at: number): void {
  const gone = (at - dot.startsAt) / LEG_MS;
  if (gone < 0) return;
  const leg = Math.floor(gone);
  const [a, b] = [map.point(dot.way[leg] ?? ''), map.point(dot.way[leg + 1] ?? '')];
  if (a === undefined || b === undefined) return;
  const along = gone - leg;
  const isLast = leg === dot.way.length - 2;
  fillDot(
    context,
    a.x + (b.x - a.x) * along,
    a.y + (b.y - a.y) * along + dot.lane * 14,
    map.colour(isLast ? dot.look : 'accent'),
  );
}

function fillDot(context: CanvasRenderingContext2D, x: number, y: number, colour: string): void {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, RADIUS, 0, 2 * Math.PI);
  context.fill();
}
