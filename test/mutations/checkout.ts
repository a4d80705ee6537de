import type { Mutation } from './list.ts';

const LISTED = ['test/app/checkout-list.test.ts'];

/** Of the checkout, beside what its processors decide. */
export const CHECKOUT_FLOW: readonly Mutation[] = [
  {
    name: 'the audit does not ask the checkout for the id of a record of the direct flow',
    file: 'src/app/audit/topic.ts',
    from: "checkout.placedAt(order.orderId) === undefined ? undefined : 'conflicts'",
    to: 'undefined',
    tests: ['test/app/audit-in-flight.test.ts'],
  },
  {
    name: 'the API takes an order of the checkout for what has no price',
    file: 'src/app/intake/intake.ts',
    from: "if (flow === 'checkout') refuseUnpriced(",
    to: "if (flow === 'direct') refuseUnpriced(",
    tests: ['test/e2e/serve.test.ts'],
  },
  {
    name: 'a topic for dead letters is made before the topics whose records it is to hold',
    file: 'src/app/topics/ensure.ts',
    from: 'of !== topic && left.has(of)',
    to: 'of === topic',
    tests: ['test/app/topics.test.ts'],
  },
  {
    name: 'a template with a field that no message has is taken',
    file: 'src/processors/notification/template.ts',
    from: 'if (known.includes(field.trim())) continue;',
    to: 'if (known.length > 0) continue;',
    tests: ['test/unit/processors/notification.test.ts'],
  },
  {
    name: 'the texts of a shop are not used',
    file: 'src/processors/notification/templates.ts',
    from: 'templates.set(of, parseTemplate(text, path, messageOf(of)));',
    to: 'parseTemplate(text, path, messageOf(of));',
    tests: ['test/unit/processors/notification.test.ts'],
  },
  {
    name: 'orders are sent for what has no price, and are rejected for that',
    file: 'src/app/send/checkout-order.ts',
    from: '=> unitPrice === null && prices.get(item) === null)',
    to: '=> unitPrice !== null && prices.get(item) === null)',
    tests: ['test/cli/tables.test.ts'],
  },
  {
    name: 'dead letters of another shop are redriven with those of this one',
    file: 'src/app/dlq/dead-letters.ts',
    from: 'return origin.group === ofShop.group ||',
    to: 'return origin.group !== null ||',
    tests: ['test/app/dlq-of-processors.test.ts'],
  },
  {
    name: 'a charge that came to nothing is parked in silence',
    file: 'src/app/run/effects.ts',
    from: 'if (why !== undefined) on({',
    to: 'if (why === undefined) on({',
    tests: ['test/app/run-effects.test.ts'],
  },
  {
    name: 'an order that was cancelled before it came is listed as rejected',
    file: 'src/app/orders/checkout.ts',
    from: "fact.step === 'rejected' && fact.reason === 'cancelled'",
    to: 'false',
    tests: LISTED,
  },
  {
    name: 'the latest orders of the checkout are listed as when they were taken up',
    file: 'src/app/orders/checkout.ts',
    from: ': steps.reverse();',
    to: ': [fact];',
    tests: LISTED,
  },
  {
    name: 'an order of the checkout is listed with what happened after the moment',
    file: 'src/app/orders/list-sources.ts',
    from: '.slice(0, steps.get(id))',
    to: '',
    tests: LISTED,
  },
  {
    name: 'facts are of no time, and of every moment',
    file: 'src/app/history/moment.ts',
    from: "typeof at === 'string' ? Date.parse(at) : NaN",
    to: 'NaN',
    tests: LISTED,
  },
  {
    name: 'orders of the checkout come after all direct ones',
    file: 'src/app/orders/list-sources.ts',
    from: 'decidedMs(one) < decidedMs(other)',
    to: 'decidedMs(one) < 0 && decidedMs(other) < 0',
    tests: LISTED,
  },
  {
    name: 'a follower of orders is given one again for each step that changes no status',
    file: 'src/app/orders/later-orders.ts',
    from: 'if (!before.some(isTakenUp) || statusOf(before) !== order.status)',
    to: 'if (before.length >= 0)',
    tests: LISTED,
  },
  {
    name: 'what has no price is sold for nothing',
    file: 'src/processors/validation/reasons.ts',
    from: 'if (price === null && hundredths(unit_price) === 0n) {',
    to: 'if (price === null && hundredths(unit_price) < 0n) {',
    tests: ['test/unit/processors/checkout.test.ts'],
  },
  {
    name: 'an edit is refused where a run starts between asking and owning',
    file: 'src/adapters/files/owned.ts',
    from: 'if (clock.now() >= until && refusals >= LEAST_REFUSALS) throw error;',
    to: 'if (clock.now() >= until) throw error;',
    tests: ['test/unit/files/owner-between.test.ts'],
  },
];
