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
  {
    name: 'errors are no JSON with --output=json',
    file: 'src/cli/wanted-output.ts',
    from: "    else if (word.startsWith('--output=')) flag = word.slice('--output='.length);\n",
    to: '',
    tests: ['test/unit/cli/wanted-output.test.ts'],
  },
  {
    name: 'a reader that has enough is an interruption',
    file: 'src/cli/exit.ts',
    from: "if (printer.closed.aborted && failure.code === 'interrupted') {",
    to: "if (printer.closed.aborted && failure.code === 'bug') {",
    tests: ['test/unit/cli/exit.test.ts'],
  },
  {
    name: 'a key without a certificate is passed over',
    file: 'src/cli/connection.ts',
    from: '(settings.tlsCert === null) !== (settings.tlsKey === null)',
    to: 'settings.tlsCert !== null && settings.tlsKey === null',
    tests: ['test/unit/cli/config.test.ts'],
  },
  {
    name: 'a password behind = is repeated in the error',
    file: 'src/cli/main.ts',
    from: '/^--(sasl|registry)-password(-file)?(?==|$)/',
    to: '/^--(sasl|registry)-password(-file)?$/',
    tests: ['test/unit/cli/passwords.test.ts'],
  },
  {
    name: 'a password file that the group can read is taken',
    file: 'src/cli/config.ts',
    from: '(stat.mode & 0o077) !== 0',
    to: '(stat.mode & 0o007) !== 0',
    tests: ['test/unit/cli/config.test.ts'],
  },
  {
    name: 'return alone removes',
    file: 'src/cli/ask.ts',
    from: '/^y(es)?$/i',
    to: '/^(y(es)?)?$/i',
    tests: ['test/unit/cli/terminal.test.ts'],
  },
];
