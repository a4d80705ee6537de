import type { Command } from 'commander';
import type { Settings } from '../../../documents/config.ts';
import type { ResolvedSetting } from '../../settings/values.ts';
import { describe } from '../../help.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';
import { SETTINGS, type SettingName } from '../../settings/table.ts';

const MASK = '********';

export function registerShow(config: Command, session: Session): void {
  describe(config.command('show'), {
    alias: 'list',
    summary: 'show every setting and its source',
    isTable: true,
    prose:
      'Shows the value of every setting and its source: a flag, an environment variable, the path of the orderctl.json ' +
      `that is used, or the default. Passwords that are set are shown as ${MASK}.\n\n` +
      'Passwords come from environment variables such as ORDERCTL_STORE_PASSWORD, or from the same names with _FILE, set ' +
      'to the path of a file that only you can read; "orderctl help settings" lists them.',
    examples: [
      ['orderctl config show', 'show all settings'],
      ['orderctl config show --topic test -o json', 'show the effect of a flag, for a script'],
    ],
  }).action(async () => {
    await showSettings(session);
  });
}

interface Entry extends ResolvedSetting {
  readonly name: SettingName;
}

async function showSettings(session: Session): Promise<void> {
  const { resolved, printer } = session;
  const entries = SETTINGS.map((spec): Entry => {
    const { name } = spec;
    if (!('isSecret' in spec)) return { name, ...(resolved.byName.get(name) ?? unset()) };
    const secret = resolved.secret(spec.name);
    return { name, ...secret, value: secret.value === null ? null : MASK };
  });
  const settings = entries.map(({ name, value, source, from }) => ({ name, value, source, from }));
  if (session.isCsv) {
    await (
      await openCsv(printer, ['name', 'value', 'source', 'from'])
    )(settings);
    return;
  }
  if (session.isJson) {
    const document: Settings = { file: resolved.file, settings };
    await printer.data(`${JSON.stringify(document)}\n`);
    return;
  }
  await printTable(printer, entries, [
    { title: 'NAME', cell: (row) => row.name },
    { title: 'VALUE', cell: (row) => (row.value === null ? '-' : String(row.value)) },
    { title: 'SOURCE', cell: sourceText },
  ]);
}

function unset(): ResolvedSetting {
  return { value: null, source: 'default', from: null };
}

function sourceText({ source, from }: ResolvedSetting): string {
  switch (source) {
    case 'flag':
      return `flag ${from ?? ''}`;
    case 'environment':
      return `environment ${from ?? ''}`;
    case 'file':
      return from ?? '';
    case 'implied':
      return `implied by ${from ?? ''}`;
    case 'default':
      return 'default';
  }
}
