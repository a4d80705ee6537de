import type { Command } from 'commander';
import { describe } from '../../help.ts';
import type { Session } from '../../session.ts';
import { registerExplain } from './explain.ts';
import { registerList } from './list.ts';
import { registerShow } from './show.ts';
import { registerCancel, registerDispatch } from './request.ts';

export function register(command: Command, session: Session): void {
  const order = describe(command, {
    prose:
      'Shows, lists and explains orders and their decisions; each order id is decided once and for good. Cancels and ' +
      'dispatches orders of the checkout.',
    examples: [
      ['orderctl order list --status rejected --limit 20', 'list rejected orders'],
      ['orderctl order explain ORD-8', 'why an order was rejected, and what you can do'],
    ],
  });
  registerShow(order, session);
  registerList(order, session);
  registerExplain(order, session);
  registerCancel(order, session);
  registerDispatch(order, session);
}
