import type { Command } from 'commander';
import type { Circumstances } from '../../../app/what-if/again.ts';
import { systemClock } from '../../../compose.ts';
import { Failure } from '../../../domain/failure.ts';
import { describe } from '../../help.ts';
import { collect } from '../../usage.ts';
import { printWhatIf, whatIfDocument } from './print.ts';
import { momentOf, nameOf, priceOf, userStatus, wholeNumber } from '../../parse.ts';
import type { Session } from '../../session.ts';
import { openStoreOf } from '../../store.ts';

interface Flags {
  stock?: string[];
  price?: string[];
  status?: string[];
  until?: string;
  timeZone?: string;
}

export function register(command: Command, session: Session): void {
  describe(command, {
    prose:
      'Decides all past orders again, in their order, as if stock, prices or statuses had been different from the start, ' +
      'and prints the differences: orders accepted or rejected instead, final stock, when items would have sold out, ' +
      'revenue. Edits of the stock apply as differences, not below 0. An order that was sent again after a rejection is ' +
      'not sent again if it would have been accepted. In the checkout, the payment gateway answers as it did. Sales of ' +
      'stores and online shops reduce the stock as they did, and are not part of the revenue. Changes nothing.',
    examples: [
      ['orderctl what-if --stock book=100', 'with an initial stock of 100 books'],
      ['orderctl what-if --status bob=paid --until yesterday', 'if bob had paid'],
    ],
  })
    .option('--stock <ITEM=N>', 'initial stock of an item; repeatable', collect)
    .option('--price <ITEM=P>', 'price of an item; repeatable', collect)
    .option('--status <USER=S>', 'status of a user, paid or unpaid; repeatable', collect)
    .option('--until <TIME|SEQ>', 'up to this time, or this commit')
    .option('--time-zone <NAME>', "time zone of a date (default: this machine's)")
    .action(async (flags: Flags) => {
      const { printer, isJson } = session;
      const circumstances = circumstancesOf(flags);
      const until =
        flags.until === undefined
          ? null
          : momentOf('--until', flags.until, flags.timeZone, systemClock.now());
      const { whatIf } = await import('../../../app/what-if/what-if.ts');
      const found = await whatIf(await openStoreOf(session), circumstances, until);
      for (const name of found.unseen.items)
        printer.warn(`item ${name} occurs in no order and no edit, so it makes no difference`);
      for (const name of found.unseen.users)
        printer.warn(`user ${name} occurs in no order and no edit, so it makes no difference`);
      if (isJson) await printer.data(`${JSON.stringify(whatIfDocument(found, circumstances))}\n`);
      else await printWhatIf(printer, found);
    });
}

function circumstancesOf(flags: Flags): Circumstances {
  return {
    stock: pairs('--stock', flags.stock, 'book=100', (text) => wholeNumber('--stock', text)),
    prices: pairs('--price', flags.price, 'book=12.50', (text) => priceOf('--price', text)),
    statuses: pairs('--status', flags.status, 'bob=paid', (text) => userStatus('--status', text)),
  };
}

/** @throws Failure invalid_value */
function pairs<T>(
  flag: string,
  given: readonly string[] = [],
  example: string,
  parse: (text: string) => T,
): Map<string, T> {
  const found = new Map<string, T>();
  for (const text of given) {
    const at = text.indexOf('=');
    const fix = `for example ${flag} ${example}`;
    if (at === -1) throw new Failure('invalid_value', `${flag}: ${JSON.stringify(text)} has no "="`, { fix });
    const of = nameOf(flag, text.slice(0, at));
    if (found.has(of)) throw new Failure('invalid_value', `${flag} has ${of} twice`, { fix });
    found.set(of, parse(text.slice(at + 1)));
  }
  return found;
}
