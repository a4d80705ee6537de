import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '../../deploy/kafka/services.mjs';
import { chromium, launch } from './browser.ts';

/*
 * `npm run screenshot:dashboard`: docs/dashboard.png, as docs/monitoring.md shows it: the panels of
 * deploy/grafana/dashboards/orderctl.json, drawn here and not by Grafana, with what a Prometheus answers to their queries
 * about a shop on which samples flow, and which is killed by kill -9 in the middle.
 */

const ROOT = path.resolve(import.meta.dirname, '../..');
const PROMETHEUS = path.join(ROOT, 'deploy/prometheus');
const [WIDTH, UNIT] = [1_120, 26];
const MINUTES = Number(process.argv[2] ?? 6);
const STEP_S = 5;
const COLOURS = ['#1f6feb', '#d9730d', '#1a7f37', '#a23fb5', '#c4314b', '#0e8a8a', '#8a6d00', '#57606a'];

interface Panel {
  readonly type: 'row' | 'stat' | 'timeseries';
  readonly title: string;
  readonly description?: string;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly fieldConfig?: { readonly defaults: { readonly unit: string } };
  readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
}

interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

const { panels } = JSON.parse(
  fs.readFileSync(path.join(ROOT, 'deploy/grafana/dashboards/orderctl.json'), 'utf8'),
) as { panels: readonly Panel[] };

function withUnit(value: number, unit: string | undefined): string {
  const short = (number: number): string => String(Number(number.toPrecision(3)));
  if (unit === 's') return value < 1 ? `${short(value * 1_000)} ms` : `${short(value)} s`;
  if (unit === 'bytes') return `${short(value / 2 ** 20)} MiB`;
  return unit === 'reqps' ? `${short(value)}/s` : short(value);
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** Lines over time, from 0 up. */
function chart({ gridPos, fieldConfig, targets = [] }: Panel, series: readonly Series[]): string {
  const [width, height, left] = [(gridPos.w / 24) * WIDTH - 28, gridPos.h * UNIT - 106, 62];
  const times = series.flatMap(({ values }) => values.map(([at]) => at));
  const [from, to] = [Math.min(...times), Math.max(...times)];
  const most = Math.max(...series.flatMap(({ values }) => values.map(([, value]) => Number(value)))) || 1;
  const x = (at: number): number => left + ((at - from) / (to - from || 1)) * (width - left);
  const y = (value: number): number => height - (value / most) * (height - 8);
  const grid = [0, 0.5, 1].map(
    (part) =>
      `<line x1="${left}" x2="${width}" y1="${y(part * most)}" y2="${y(part * most)}" stroke="#e4e7eb"/>` +
      `<text x="${left - 6}" y="${y(part * most) + 4}" text-anchor="end">${withUnit(part * most, fieldConfig?.defaults.unit)}</text>`,
  );
  const ticks = [from, (from + to) / 2, to].map((at, n) => {
    const anchor = ['start', 'middle', 'end'][n];
    return `<text x="${x(at)}" y="${height + 15}" text-anchor="${anchor}">${new Date(at * 1_000).toISOString().slice(11, 19)}</text>`;
  });
  const lines = series.map(({ values }, n) => {
    const points = values
      .map(([at, value]) => `${x(at).toFixed(1)},${y(Number(value)).toFixed(1)}`)
      .join(' ');
    return `<polyline points="${points}" fill="none" stroke="${COLOURS[n % COLOURS.length]}" stroke-width="1.5"/>`;
  });
  const legend = series.map(({ metric }, n) => {
    const name = (targets[0]?.legendFormat ?? '').replaceAll(
      /\{\{(\w+)\}\}/g,
      (_, label: string) => metric[label] ?? '',
    );
    return `<span><i style="background:${COLOURS[n % COLOURS.length]}"></i>${escaped(name)}</span>`;
  });
  return `<svg width="${width}" height="${height + 20}">${[...grid, ...ticks, ...lines].join('')}</svg><p>${legend.join('')}</p>`;
}

function drawn(panel: Panel, series: readonly Series[]): string {
  const { type, title, description = '', gridPos, fieldConfig } = panel;
  const [left, top, width] = [(gridPos.x / 24) * WIDTH, gridPos.y * UNIT, (gridPos.w / 24) * WIDTH];
  const place = `left:${left}px;top:${top}px;width:${width - 8}px;height:${gridPos.h * UNIT - 8}px`;
  if (type === 'row') return `<h2 style="${place}">${escaped(title)}</h2>`;
  const last = series[0]?.values.at(-1)?.[1];
  const number = last === undefined ? 'no data' : withUnit(Number(last), fieldConfig?.defaults.unit);
  const inner = type === 'stat' ? `<b>${number}</b>` : series.length === 0 ? 'no data' : chart(panel, series);
  return `<section style="${place}"><h3>${escaped(title)} <small>${escaped(description)}</small></h3>${inner}</section>`;
}

const STYLE = `body{margin:0;font:12px sans-serif;background:#f4f5f7;color:#24292f}h2,section{position:absolute;margin:0;box-sizing:border-box}
h2{font-size:14px;padding-top:2px}section{background:#fff;border:1px solid #d8dee4;padding:6px 10px;overflow:hidden}h3{margin:0 0 6px;font-size:12px}
small{color:#57606a;font-weight:normal}b{font-size:30px;color:#1a7f37}svg text{font-size:10px;fill:#57606a}p{margin:2px 0;font-size:9px;line-height:12px}
span{margin-right:7px;white-space:nowrap}i{display:inline-block;width:8px;height:8px;margin-right:3px}`;

async function draw(ask: (expr: string) => Promise<readonly Series[]>): Promise<void> {
  const parts: string[] = [];
  for (const panel of panels) {
    const [target] = panel.targets ?? [];
    parts.push(drawn(panel, target === undefined ? [] : await ask(target.expr)));
  }
  const height = Math.max(...panels.map(({ gridPos: { y, h } }) => (y + h) * UNIT));
  const browser = await launch(chromium ?? '');
  const page = await browser.newPage({ viewport: { width: WIDTH, height } });
  await page.setContent(`<style>${STYLE}</style>${parts.join('')}`);
  await page.screenshot({ path: path.join(ROOT, 'docs/dashboard.png') });
  await browser.close();
}

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'orderctl-dashboard-'));
const [api, metrics, port] = [await freePort(), await freePort(), await freePort()];
for (const name of ['prometheus.yml', 'rules.yml']) {
  const text = fs.readFileSync(path.join(PROMETHEUS, name), 'utf8');
  const here = text
    .replaceAll('127.0.0.1:8080', `127.0.0.1:${api}`)
    .replaceAll('127.0.0.1:9464', `127.0.0.1:${metrics}`);
  fs.writeFileSync(path.join(folder, name), here.replaceAll(/(_interval): \d+s/g, `$1: ${STEP_S}s`));
}
const run = (command: string, ...args: string[]) => spawn(command, args, { cwd: folder, stdio: 'ignore' });
const orderctl = (...args: string[]) => run(process.execPath, path.join(ROOT, 'bin/orderctl'), ...args);
const ports = [
  '--port',
  `${api}`,
  '--metrics-port',
  `${metrics}`,
  '--broker-port',
  '0',
  '--registry-port',
  '0',
];
const started = [
  orderctl('up', ...ports, '--sample', '8'),
  run(
    'prometheus',
    '--config.file=prometheus.yml',
    '--storage.tsdb.path=data',
    `--web.listen-address=127.0.0.1:${port}`,
  ),
];
try {
  const began = Date.now() / 1_000;
  for (let n = 0; n < MINUTES * 60; n += 1) {
    await sleep(1_000);
    // Not before it listens.
    await fetch(`http://127.0.0.1:${api}/orders?limit=20`).catch(() => undefined);
    if (n === MINUTES * 30) orderctl('break', 'kill-shop', '--url', `http://127.0.0.1:${api}`);
  }
  await draw(async (query) => {
    const asked = new URLSearchParams({
      query,
      start: `${began + 30}`,
      end: `${Date.now() / 1_000}`,
      step: `${STEP_S}`,
    });
    const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query_range?${asked.toString()}`);
    const { data } = (await answer.json()) as { data: { result: readonly Series[] } };
    // A quantile of nothing is NaN.
    return data.result
      .map(({ metric, values }) => ({
        metric,
        values: values.filter(([, value]) => Number.isFinite(Number(value))),
      }))
      .filter(({ values }) => values.length > 0);
  });
} finally {
  for (const one of started) {
    if (one.exitCode !== null) continue;
    one.kill('SIGTERM');
    await once(one, 'close');
  }
  fs.rmSync(folder, { recursive: true, force: true });
}
