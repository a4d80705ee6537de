import type { DailyReport } from '../../../documents/reports/daily.ts';
import { unpricedLine } from './unpriced.ts';

/** A self-contained page: no scripts, fonts or images from elsewhere. */
export function reportHtml(report: DailyReport): string {
  const {
    report_date,
    time_zone,
    complete,
    by_source,
    by_hour,
    top_sellers,
    low_stock,
    sales,
    unpriced_lines,
  } = report;
  const parts = [
    `<h1>Sales of ${escape(report_date)}</h1>`,
    `<p class="muted">${escape(time_zone)}${complete ? '' : ' · the day is not over'}</p>`,
    figures(report),
    unpriced_lines === 0 ? '' : `<p class="muted">${unpricedLine(unpriced_lines)}</p>`,
    chart(
      'Revenue by hour',
      by_hour.map(({ from, total_revenue, order_count }) => {
        return { label: localHour(from, time_zone), value: total_revenue, note: `${order_count} placed` };
      }),
    ),
    chart(
      'Revenue by source',
      by_source.map(({ source, total_revenue, orders }) => {
        return { label: source, value: total_revenue, note: `${orders} completed` };
      }),
    ),
    chart(
      'Top sellers',
      top_sellers.map(({ product_id, name, total_revenue, total_quantity }) => {
        return { label: name ?? product_id, value: total_revenue, note: `${total_quantity} sold` };
      }),
    ),
    table(
      'Low stock',
      ['product', 'name', 'on hand', 'reorder level'],
      low_stock.map(({ product_id, name, on_hand, reorder_level }) => [
        product_id,
        name ?? '',
        on_hand,
        reorder_level,
      ]),
    ),
    table(
      'Sales by product and source',
      ['product', 'name', 'category', 'source', 'sold', 'revenue'],
      sales.map(({ product_id, name, category, source, total_quantity, total_revenue }) => {
        return [product_id, name ?? '', category ?? '', source, total_quantity, total_revenue];
      }),
    ),
  ];
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sales of ${escape(report_date)}</title>
<style>${STYLE}</style>
</head>
<body>
${parts.join('\n')}
</body>
</html>
`;
}

const STYLE = `
:root { color-scheme: light dark; --bar: #2f6fb0; --muted: #777 }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 52rem; margin: 2rem auto; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem } .muted { color: var(--muted); margin-top: 0 }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2.5rem } dt { color: var(--muted) } dd { margin: 0; font-size: 1.5rem }
svg { width: 100%; height: auto } svg text { font: 13px system-ui, sans-serif; fill: currentColor }
svg .note { fill: var(--muted) } svg rect { fill: var(--bar) }
table { border-collapse: collapse; width: 100% } th, td { text-align: left; padding: .2rem .6rem .2rem 0; border-bottom: 1px solid #8884 }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums }
@media (prefers-color-scheme: dark) { :root { --bar: #6aa5e0; --muted: #aaa } }
`;

function figures(report: DailyReport): string {
  const { total_sales, order_count, completed, rejected, failed, cancelled, avg_order_value } = report;
  const shown = [
    ['revenue', total_sales],
    ['orders', order_count],
    ['completed', completed],
    ['rejected', rejected],
    ['failed or cancelled', failed + cancelled],
    ['average order', avg_order_value ?? '–'],
  ] as const;
  return `<dl>${shown.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>`;
}

interface Bar {
  readonly label: string;
  /** Money: a decimal string. */
  readonly value: string;
  readonly note: string;
}

const ROW = 26;
const [LABEL, WIDTH, NOTES] = [150, 800, 210];

/** Horizontal bars, one per row, scaled so that the longest fills the width. */
function chart(title: string, bars: readonly Bar[]): string {
  if (bars.length === 0) return '';
  // Only for the length of a bar, so a double is exact enough.
  const most = Math.max(...bars.map(({ value }) => Number(value)), 1e-9);
  const rows = bars.map(({ label, value, note }, at) => {
    const width = Math.max(1, (Math.max(0, Number(value)) / most) * (WIDTH - LABEL - NOTES));
    const y = at * ROW;
    return (
      `<text x="${LABEL - 8}" y="${y + 17}" text-anchor="end">${escape(short(label))}</text>` +
      `<rect x="${LABEL}" y="${y + 4}" width="${width.toFixed(1)}" height="${ROW - 8}" rx="2"/>` +
      `<text x="${(LABEL + width + 8).toFixed(1)}" y="${y + 17}">${value} <tspan class="note">${escape(note)}</tspan></text>`
    );
  });
  const size = `0 0 ${WIDTH} ${bars.length * ROW}`;
  return `<h2>${title}</h2>\n<svg viewBox="${size}" role="img" aria-label="${title}">${rows.join('')}</svg>`;
}

const SHORT = 20;

function short(text: string): string {
  return text.length <= SHORT ? text : `${text.slice(0, SHORT - 1)}…`;
}

function localHour(iso: string, timeZone: string): string {
  const form = new Intl.DateTimeFormat('en-GB', { timeZone, hour: '2-digit', minute: '2-digit' });
  return form.format(new Date(iso));
}

function table(
  title: string,
  heads: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): string {
  if (rows.length === 0) return `<h2>${title}</h2>\n<p class="muted">none</p>`;
  const isText = (at: number): boolean => /product|name|category|source/.test(heads[at] ?? '');
  const cell = (tag: 'td' | 'th', value: string | number, at: number): string =>
    `<${tag}${isText(at) ? '' : ' class="number"'}>${escape(String(value))}</${tag}>`;
  const head = heads.map((name, at) => cell('th', name, at)).join('');
  const body = rows.map((row) => `<tr>${row.map((value, at) => cell('td', value, at)).join('')}</tr>`);
  return `<h2>${title}</h2>\n<table><thead><tr>${head}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
