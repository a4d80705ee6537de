import type { Mutation } from './list.ts';

/** Promises kept by the command line. */
export const COMMANDS: readonly Mutation[] = [
  {
    name: 'a second Ctrl-C does nothing',
    file: 'src/cli/exit.ts',
    from: 'signals > 2 || now - stoppedAt > SAME_SIGNAL_MS',
    to: 'signals > 2 && now - stoppedAt > 1e12',
    tests: ['test/unit/cli/exit.test.ts'],
  },
  {
    name: 'a stop may take for ever',
    file: 'src/cli/exit.ts',
    from: 'setTimeout(() => leaveNow(130), STOP_LIMIT_MS)',
    to: 'setTimeout(() => leaveNow(130), 60_000)',
    tests: ['test/unit/cli/exit.test.ts'],
  },
  {
    name: 'a variable that only looks like a setting is passed over in silence',
    file: 'src/cli/environment.ts',
    from: 'return near === undefined ? [] : [',
    to: 'return near !== undefined ? [] : [',
    tests: ['test/unit/cli/environment.test.ts'],
  },
  {
    name: 'ways that only the checkout has are named elsewhere',
    file: 'src/cli/hints.ts',
    from: " && !relative(root, cwd).split(sep).includes('..')",
    to: '',
    tests: ['test/unit/cli/hints.test.ts'],
  },
  {
    name: 'a build takes the files of the one before away from commands that run',
    file: 'build.mjs',
    from: 'if (Date.now() - at > KEPT_MS)',
    to: 'if (Date.now() - at > -1)',
    tests: ['test/unit/build.test.ts'],
  },
  {
    name: 'a build is written over the one in force',
    file: 'build.mjs',
    from: 'const name = contentOf(folder);',
    to: "const name = 'cli';",
    tests: ['test/unit/build.test.ts'],
  },
];
