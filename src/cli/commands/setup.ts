import type { Command } from 'commander';
import { applySetup, planSetup, type SetupAction, type SetupPlan } from '../../app/setup/plan.ts';
import { needsOfRun } from '../../app/topics/wanted.ts';
import { openSchemaTools, openStore } from '../../compose.ts';
import type { Setup } from '../../documents/topics.ts';
import { isFailure } from '../../domain/failure.ts';
import { describe } from '../help.ts';
import { registryConnection } from '../kafka/connection.ts';
import { openBrokerOnly } from '../kafka/open.ts';
import { aclActionDocument, aclActionLine, deniedLines } from '../output/cluster/acl.ts';
import { printNotice } from '../output/store-notices.ts';
import { actionDocument, actionLine } from '../output/cluster/topics.ts';
import { carryOut } from '../output/cluster/carry-out.ts';
import type { Session } from '../session.ts';
import { shopOf } from '../settings/shop.ts';
import { rightsOf } from './acl/wanted.ts';
import { askedOf, incompatible } from './schema/subject.ts';

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Creates everything that "orderctl run" of the same processors needs: the storage folder (its tables are created ' +
      'with their first row), the topics that they read and write, with dead-letter topics, the access rules of their ' +
      'principals if the brokers use such rules (of all roles if no processor is named), and the schemas of their ' +
      'messages. Without --execute it only prints the plan. Existing things are not changed, so setup can run before ' +
      'every deployment. If the registry would refuse a schema, nothing is done and the exit code is 6. Run it as an ' +
      'administrator; "orderctl run --no-create" then needs no such rights.',
    examples: [
      ['orderctl setup', 'show the plan for all processors'],
      ['orderctl setup orders --execute', 'set up "orderctl run orders", or "orderctl consume"'],
    ],
  })
    .argument('[NAME...]', 'names of processors (default: all)')
    .option('--execute', 'do it')
    .action(async (names: readonly string[], flags: { readonly execute?: true }) => {
      await setUp(session, names, flags.execute === true);
    });
}

async function setUp(session: Session, names: readonly string[], execute: boolean): Promise<void> {
  const { settings, resolved, printer, isJson } = session;
  const { topics, messages } = needsOfRun(names, shopOf(settings), settings.topics);
  const [access, broker, tools] = await Promise.all([
    openStore(settings),
    openBrokerOnly(session),
    openSchemaTools(registryConnection(resolved)),
  ]);
  await using admin = await broker.admin();
  const ports = { access, admin, tools };
  // A dead letter has the schema of its original record.
  const written = messages.filter(({ schema }) => schema !== null);
  const schemas = written.map((message) => askedOf(message, session, null));
  const plan = await planSetup(ports, { topics, rights: rightsOf(session, names), schemas });
  const warnings = [...plan.topics.warnings, ...aclWarnings(plan)];
  for (const warning of warnings) printer.warn(warning);
  const [refused] = plan.refused;
  if (refused !== undefined) throw incompatible(refused.check, refused.what);
  const { brokers } = plan.topics;
  await carryOut(printer, {
    actions: plan.actions,
    execute,
    isJson,
    lineOf,
    documentOf,
    apply: (done) => applySetup(ports, plan, { notice: (notice) => printNotice(printer, notice), done }),
    whole: (actions): Setup => ({ executed: execute, brokers, actions: [...actions], warnings }),
    allThere: 'everything exists: folder, topics and schemas',
  });
}

function aclWarnings({ acls }: SetupPlan): string[] {
  if (acls === null) return [];
  return isFailure(acls) ? [`access rules are not changed: ${acls.message}`] : deniedLines(acls);
}

function lineOf(action: SetupAction): string {
  switch (action.kind) {
    case 'create_store':
      return `create ${action.store}: a storage folder without users and items`;
    case 'register_schema': {
      const { what, subject } = action.wanted;
      return `register ${what} under ${subject}${action.after.length === 0 ? '' : ', as a new version'}`;
    }
    case 'create':
    case 'add_partitions':
    case 'alter_config':
      return actionLine(action);
    case 'grant':
    case 'revoke':
      return aclActionLine(action);
  }
}

function documentOf(action: SetupAction) {
  switch (action.kind) {
    case 'create_store':
      return { action: action.kind, store: action.store };
    case 'register_schema': {
      const { message, subject } = action.wanted;
      return { action: action.kind, message, subject, versions: [...action.after] };
    }
    case 'create':
    case 'add_partitions':
    case 'alter_config':
      return actionDocument(action);
    case 'grant':
    case 'revoke':
      return aclActionDocument(action);
  }
}
