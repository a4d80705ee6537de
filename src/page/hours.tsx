import { useEffect, useRef, useState } from 'preact/hooks';
import { hours } from './data/state.ts';
import type { HourlySales } from '../documents/reports/analytics.ts';
import { grouped, money } from './text.ts';

const HEIGHT = 120;
/** Width until the chart is measured. */
const WIDTH = 720;

/** Orders of the last 24 hours, by the hour in which they were placed. */
export function Hours() {
  const seen = hours.value;
  if (seen === null) return null;
  const { windows, total } = seen;
  return (
    <section class="card hours">
      <h2>By hour</h2>
      <p>
        <b>{grouped(total.order_count)}</b> orders in a day, <b>{money(total.total_revenue)}</b> in revenue
        {total.avg_order_value === null ? '' : `, ${total.avg_order_value} per completed order`}
      </p>
      <Chart windows={windows} />
      <p class="quiet">
        <span class="key completed" /> completed <span class="key other" /> rejected, failed or open, with the
        sales of tills and online shops, which the flow does not count as orders ·{' '}
        <code>orderctl analytics show</code>
      </p>
    </section>
  );
}

/** One unit is one pixel, so that text has the same size on every screen. */
function Chart({ windows }: Pick<HourlySales, 'windows'>) {
  const svg = useRef<SVGSVGElement>(null);
  const [width, setWidth] = useState(WIDTH);
  useEffect(() => {
    if (svg.current === null) return;
    const observer = new ResizeObserver(([entry]) => {
      const found = entry?.contentRect.width ?? 0;
      // The width is 0 while the chart is hidden.
      if (found > 0) setWidth(found);
    });
    observer.observe(svg.current);
    return () => observer.disconnect();
  }, []);
  const most = Math.max(1, ...windows.map(({ order_count }) => order_count));
  const step = width / windows.length;
  const tall = (count: number): number => (count / most) * HEIGHT;
  return (
    <svg
      ref={svg}
      viewBox={`0 0 ${width} ${HEIGHT + 18}`}
      role="img"
      aria-label={`Orders by hour: ${windows
        .filter(({ order_count }) => order_count > 0)
        .map(({ window_start, order_count }) => `${hourOf(window_start)} ${order_count}`)
        .join(', ')}`}
    >
      <line class="axis" x1="0" x2={width} y1={HEIGHT} y2={HEIGHT} />
      {windows.map(({ window_start, order_count, completed, total_revenue }, at) => {
        const rest = tall(order_count - completed);
        return (
          <g key={window_start}>
            <title>
              {`${hourOf(window_start)}: ${grouped(order_count)} orders, ${grouped(completed)} completed, ${total_revenue}`}
            </title>
            <rect class="all" x={at * step} y="0" width={step} height={HEIGHT} />
            <rect
              class="completed"
              x={at * step + 2}
              y={HEIGHT - tall(completed)}
              width={step - 4}
              height={tall(completed)}
            />
            <rect
              class="other"
              x={at * step + 2}
              y={HEIGHT - tall(completed) - rest}
              width={step - 4}
              height={rest}
            />
            {at % 4 === 0 ? (
              <text x={at * step + 2} y={HEIGHT + 14}>
                {hourOf(window_start)}
              </text>
            ) : null}
          </g>
        );
      })}
    </svg>
  );
}

function hourOf(iso: string): string {
  return new Date(iso).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
}
