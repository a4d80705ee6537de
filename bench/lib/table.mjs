// @ts-check
import { cpus, totalmem } from 'node:os';

/**
 * Prints rows as a Markdown table, with numbers right-aligned.
 *
 * @param {string} title
 * @param {readonly string[]} header
 * @param {readonly (readonly string[])[]} rows
 */
export function printTable(title, header, rows) {
  const widths = header.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (/** @type {readonly string[]} */ cells) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join(' | ')} |`;
  const rule = `| ${widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  process.stdout.write(`\n${title}\n\n${[line(header), rule, ...rows.map(line)].join('\n')}\n`);
}

/** @param {string} cluster */
export function printMachine(cluster) {
  const [cpu] = cpus();
  const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
  process.stdout.write(
    `${cpus().length} × ${cpu?.model ?? 'unknown CPU'}, ${memory}, ${process.platform}, Node ${process.version}, ${cluster}, ${new Date().toISOString().slice(0, 10)}\n`,
  );
}

/** @param {number} value */
export const whole = (value) => Math.round(value).toLocaleString('en-US');
/** @param {number | null} value */
export const orDash = (value, digits = 1) => (value === null ? '–' : value.toFixed(digits));
