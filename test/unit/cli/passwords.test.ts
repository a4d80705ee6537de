import os from 'node:os';
import { PassThrough } from 'node:stream';
import { expect, it } from 'vitest';
import { runCommandLine } from '../../../src/cli/main.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { Session } from '../../../src/cli/session.ts';
import type { Failure } from '../../../src/domain/failure.ts';
import { fixText } from '../../support/ways-out.ts';

it.each([
  ['--sasl-password hunter2', 'ORDERCTL_SASL_PASSWORD'],
  ['--sasl-password=hunter2', 'ORDERCTL_SASL_PASSWORD'],
  ['--sasl-password-file=hunter2', 'ORDERCTL_SASL_PASSWORD'],
  ['--registry-password hunter2', 'ORDERCTL_REGISTRY_PASSWORD'],
  ['--registry-password=hunter2', 'ORDERCTL_REGISTRY_PASSWORD'],
])('a password is never a flag, and is not repeated: %s', async (flags, variable) => {
  const output = new PassThrough();
  const session = new Session(new Printer(output, output), {}, os.tmpdir());
  const failure = await runCommandLine(['user', 'show', ...flags.split(' ')], session).then(
    () => undefined,
    (error: unknown) => error as Failure,
  );
  expect(failure).toMatchObject({ code: 'usage' });
  expect(failure?.fix).toContain(variable);
  expect(`${failure?.message ?? ''} ${failure === undefined ? '' : fixText(failure)}`).not.toContain(
    'hunter2',
  );
});
