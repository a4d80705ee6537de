import { SingleBar, type Options } from 'cli-progress';
import type { Printer } from './printer.ts';

export interface ProgressBar {
  add(n: number): void;
  stop(): void;
}

export type StartBar = (printer: Printer, title: string, total: number) => ProgressBar;

/** A progress bar in the last line of the terminal; other output scrolls above it. */
export const startBar: StartBar = (printer, title, total) => {
  const { terminal } = printer;
  const options: Options & { terminal: unknown } = {
    format: `${title} [{bar}] {percentage}% {value}/{total} {duration_formatted} ETA {eta_formatted}`,
    barsize: 24,
    forceRedraw: true,
    fps: 5,
    gracefulExit: false,
    hideCursor: false,
    linewrap: null,
    clearOnComplete: true,
    // The library's terminal saves the cursor position, which lines printed above would invalidate.
    terminal,
  };
  const bar = new SingleBar(options);
  bar.start(total, 0);
  let done = 0;
  printer.attach({ clear: () => terminal.clearLine(), draw: () => bar.render() });
  return {
    add: (n) => {
      done += n;
      bar.update(Math.min(done, total));
    },
    stop: () => {
      bar.stop();
      printer.detach();
    },
  };
};
