import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect } from 'vitest';
import { finish, observe, type Result, type Shop } from './cli.ts';
import { waitFor } from './wait.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

/** A command line of a page, and the exit code in its comment: `# exit code 3: none runs`. */
interface Command {
  readonly line: string;
  readonly exitCode: number;
}

/** The commands of a `sh` block, and the lines of the `text` block after it, which is their output. */
export interface Step {
  readonly commands: readonly Command[];
  readonly shown: readonly string[];
}

/** The examples under each second-level heading of a page. @param file from the root of the project */
export function stepsOf(file: string): Map<string, Step[]> {
  const page = fs.readFileSync(path.join(ROOT, file), 'utf8');
  return new Map(
    page
      .split(/^## /m)
      .slice(1)
      .map((section) => [section.slice(0, section.indexOf('\n')), stepsIn(section)]),
  );
}

/** The code of the first block of a language under a heading. */
export function blockOf(file: string, language: string): string {
  const page = fs.readFileSync(path.join(ROOT, file), 'utf8');
  const [, block] = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms').exec(page) ?? [];
  if (block === undefined) throw new Error(`${file} has no block of ${language}`);
  return block;
}

function stepsIn(section: string): Step[] {
  const steps: { commands: Command[]; shown: string[] }[] = [];
  for (const [, language, block = ''] of section.matchAll(/^```(sh|text)\n(.*?)^```/gms)) {
    const lines = block.trimEnd().split('\n');
    if (language === 'sh') steps.push({ commands: lines.map(readCommand), shown: [] });
    else steps.at(-1)?.shown.push(...lines);
  }
  return steps;
}

function readCommand(text: string): Command {
  const [, line = text, code = '0'] = /^(.*?)\s+# exit code (\d+):.*$/.exec(text) ?? [];
  return { line: line.replace(/\s+# .*$/, ''), exitCode: Number(code) };
}

/** Runs a line in the folder of the shop as a shell that knows `orderctl` and `npx orderctl` would. */
export async function runLine(shop: Shop, line: string): Promise<Result> {
  // The line must contain nothing that needs a shell, and no path relative to the folder.
  const [, plain] =
    /^(?:npx )?orderctl (?!.*\b(?:backup|restore) )([\w:=-]+(?: [\w:=-]+)*)$/.exec(line) ?? [];
  if (plain !== undefined) return shop.run(plain, { env: shop.env });
  const bin = path.join(shop.folder, 'bin');
  fs.mkdirSync(bin, { recursive: true });
  const program = `exec "${process.execPath}" "${ROOT}/bin/orderctl" "$@"\n`;
  fs.writeFileSync(path.join(bin, 'orderctl'), `#!/bin/sh\n${program}`, { mode: 0o755 });
  fs.writeFileSync(path.join(bin, 'npx'), `#!/bin/sh\nshift\n${program}`, { mode: 0o755 });
  const env = { ...process.env, ...shop.env, PATH: `${bin}:${process.env.PATH ?? ''}` };
  const child = spawn('sh', ['-c', line], { cwd: shop.folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  return finish(observe(child, line), line, 60_000);
}

/** Runs steps one after the other and compares their output with the page. @returns all output */
export async function runSteps(shop: Shop, steps: readonly Step[]): Promise<string> {
  let all = '';
  for (const { commands, shown } of steps) {
    let printed = '';
    for (const { line, exitCode } of commands) {
      const { code, stdout, stderr } = await runLine(shop, line);
      expect(code, `${line}\n${stdout}${stderr}`).toBe(exitCode);
      // The page does not show which of the two outputs a line is on.
      printed += stderr + stdout;
    }
    expectShown(asOnPage(shop, printed), shown);
    all += printed;
  }
  return all;
}

/** Commands that change nothing. */
const LOOKS = /^(?:npx orderctl (?:order show|inventory show|dlq list|audit)|curl http)/;

/**
 * Like runSteps, while processors run that need time: read-only commands are repeated until they print what the page
 * shows.
 *
 * @param here replaces the page's addresses by those of this test, `there` the reverse
 */
export async function runStepsBeside(
  shop: Shop,
  steps: readonly Step[],
  { here, there }: Record<'here' | 'there', (text: string) => string>,
): Promise<void> {
  const run = async ({ line, exitCode }: Command): Promise<string> => {
    const { code, stdout, stderr } = await runLine(shop, here(line));
    expect(code, `${line}\n${stdout}${stderr}`).toBe(exitCode);
    return stderr + stdout;
  };
  for (const { commands, shown } of steps) {
    let done = '';
    for (const command of commands) if (!LOOKS.test(command.line)) done += await run(command);
    const look = async (): Promise<string[]> => {
      let seen = '';
      for (const command of commands) if (LOOKS.test(command.line)) seen += await run(command);
      return asOnPage(shop, there(done + seen));
    };
    const isShown = (printed: readonly string[]): boolean => lineMissing(printed, shown) === null;
    const what = `"${shown.join(' | ')}" after ${commands.map(({ line }) => line).join('; ')}`;
    await waitFor(what, look, isShown, { timeoutMs: 60_000, everyMs: 300 });
  }
}

/** With the names on the page, and with column widths that do not depend on the values. */
function asOnPage(shop: Shop, printed: string): string[] {
  return printed
    .replaceAll(shop.group, 'orderctl')
    .replaceAll(shop.topic, 'orders')
    .replaceAll(`${shop.folder}/`, '')
    .split('\n')
    .map(withoutColumns);
}

const withoutColumns = (line: string): string => line.trim().replace(/ +/g, ' ');

/** Expects every shown line to be printed, in this order; `…` stands for anything. */
function expectShown(printed: readonly string[], shown: readonly string[]): void {
  const missing = lineMissing(printed, shown);
  expect(missing, `"${missing ?? ''}" in\n${printed.join('\n')}`).toBeNull();
}

/** @returns the first line that is missing; null if none is */
function lineMissing(printed: readonly string[], shown: readonly string[]): string | null {
  let from = 0;
  for (const line of shown) {
    const pattern = withoutColumns(line)
      .split('…')
      .map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
      .join('.*');
    const at = printed.findIndex((one, index) => index >= from && new RegExp(`^${pattern}$`).test(one));
    if (at === -1) return line;
    from = at + 1;
  }
  return null;
}
