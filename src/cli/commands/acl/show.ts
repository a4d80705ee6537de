import type { Command } from 'commander';
import { describe } from '../../help.ts';
import { openBrokerOnly } from '../../kafka/open.ts';
import { ACL_COLUMNS, aclsDocument, deniedLines } from '../../output/cluster/acl.ts';
import { openCsv } from '../../output/csv.ts';
import { printTable } from '../../output/print-table.ts';
import type { Session } from '../../session.ts';
import { planWanted, WANTED, WHICH_ROLES } from './wanted.ts';

export function registerShow(acl: Command, session: Session): void {
  describe(acl.command('show'), {
    alias: 'list',
    summary: 'compare the access rules with the needed ones',
    isTable: true,
    prose:
      'Shows each needed access rule and whether it exists; rules of the same principals that are not needed (extra) or ' +
      `that deny access (denied); and rules of other principals on these topics and groups (other). ${WANTED}`,
    examples: [
      ['orderctl acl show payment api', 'the rules of two roles'],
      ['orderctl acl show -o json', 'for a script'],
    ],
  })
    .argument('[ROLE...]', WHICH_ROLES)
    .action(async (names: readonly string[]) => {
      await show(session, names);
    });
}

async function show(session: Session, names: readonly string[]): Promise<void> {
  const { printer, isJson, isCsv } = session;
  await using admin = await (await openBrokerOnly(session)).admin();
  const plan = await planWanted(admin, session, names, false);
  if (isJson) {
    await printer.data(`${JSON.stringify(aclsDocument(plan))}\n`);
    return;
  }
  if (isCsv) {
    const columns = ['principal', 'resource', 'pattern', 'name', 'operation', 'permission', 'host', 'state'];
    await (
      await openCsv(printer, columns)
    )(plan.states.map(({ rule, state }) => ({ ...rule, state })));
  } else await printTable(printer, plan.states, ACL_COLUMNS);
  for (const line of deniedLines(plan)) printer.warn(line);
  if (plan.actions.length === 0) return;
  const words = names.map((name) => ` ${name}`).join('');
  printer.info(`to add the missing rules: orderctl acl apply${words}`);
}
