import { PassThrough, Writable } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EditedRow } from '../../../src/app/tables/edit-log.ts';
import type { WhatIf } from '../../../src/app/what-if/what-if.ts';
import { confirm } from '../../../src/cli/ask.ts';
import { checkLines } from '../../../src/cli/commands/doctor.ts';
import { deadLetterColumns, narrowerColumns } from '../../../src/cli/output/dead-letters/list.ts';
import { NARROW_ORDER_COLUMNS, ORDER_COLUMNS } from '../../../src/cli/output/orders/list.ts';
import { printTable } from '../../../src/cli/output/print-table.ts';
import { printWhatIf } from '../../../src/cli/commands/what-if/print.ts';
import { Printer } from '../../../src/cli/output/printer.ts';
import { startBar } from '../../../src/cli/output/progress.ts';
import { columnsOf, Terminal } from '../../../src/cli/output/terminal.ts';
import type { Session } from '../../../src/cli/session.ts';
import { printEditLog } from '../../../src/cli/tables/edit-log.ts';
import type { Decided } from '../../../src/domain/orders/decided.ts';

// eslint-disable-next-line no-control-regex -- the sequences of a terminal begin with one
const CONTROL_OR_TEXT = /\r|\u001B\[K|[^\r\u001B]+/g;
const CLEAR = '\r\u001B[K';

/** A stream that says of itself what a terminal says. */
class Screen extends Writable {
  readonly isTTY: boolean;
  columns: number;
  text = '';

  constructor(columns: number, isTTY = true) {
    super({ decodeStrings: false });
    this.columns = columns;
    this.isTTY = isTTY;
  }

  override _write(text: string, _: string, done: () => void): void {
    this.text += text;
    done();
  }

  /** What stands there now: what a terminal makes of it. */
  get lines(): string[] {
    return this.text.split('\n').map((written) => {
      let line = '';
      let at = 0;
      for (const [part] of written.matchAll(CONTROL_OR_TEXT)) {
        if (part === '\r') at = 0;
        else if (part === '\u001B[K') line = line.slice(0, at);
        else {
          line = line.slice(0, at) + part + line.slice(at + part.length);
          at += part.length;
        }
      }
      return line;
    });
  }
}

describe('a message longer than the terminal is wide', () => {
  const text =
    'partition 3 of orders was not read for five minutes, since its leader does not answer; see what the brokers say: ' +
    'orderctl --storage /srv/shop --brokers kafka-1:9092,kafka-2:9092,kafka-3:9092 topics show';
  const printed = (screen: Screen, print: (printer: Printer) => void): string[] => {
    print(new Printer(new PassThrough(), screen));
    return screen.text.trimEnd().split('\n');
  };

  it('breaks between words, under the beginning of its text; a command stays whole', () => {
    const lines = printed(new Screen(80), (printer) => printer.warn(text));
    expect(lines).toEqual([
      'warning: partition 3 of orders was not read for five minutes, since its leader',
      '         does not answer; see what the brokers say:',
      '         orderctl --storage /srv/shop --brokers kafka-1:9092,kafka-2:9092,kafka-3:9092 topics show',
    ]);
    const said = printed(new Screen(40), (printer) =>
      printer.messages([{ level: 'info', text: text.slice(0, 58) }], { time: '17:07:25' }),
    );
    expect(said).toEqual(['17:07:25 partition 3 of orders was not', 'read for five minutes, since']);
    const failed = printed(new Screen(40), (printer) =>
      printer.failure(text, 'wait, or look at the log of the brokers\nor not'),
    );
    expect(failed.slice(-3)).toEqual(['fix: wait, or look at the log of the', '     brokers', '     or not']);
  });

  it('is one line where it is not read on a terminal', () => {
    expect(printed(new Screen(80, false), (printer) => printer.warn(text))).toEqual([`warning: ${text}`]);
  });

  it('of doctor breaks as well', () => {
    const check = {
      name: 'group',
      state: 'warning',
      failure: null,
      fix: 'see: orderctl offsets show',
    } as const;
    const message = text.slice(0, text.indexOf(';'));
    expect(checkLines([{ ...check, message }], 80)).toBe(
      'warning  group       partition 3 of orders was not read for five minutes, since\n' +
        '                     its leader does not answer\n' +
        '                     fix: see: orderctl offsets show\n',
    );
    const long = { ...check, name: 'positions_of_warehouse', message };
    expect(checkLines([long], null)).toContain(`warning  positions of warehouse ${message}`);
    expect(checkLines([{ ...check, message }], null).split('\n')[0]?.length).toBeGreaterThan(80);
  });
});

describe('colour', () => {
  async function printed(screens: { data: Screen; messages: Screen }, noColor: boolean): Promise<void> {
    const printer = new Printer(screens.data, screens.messages);
    await printer.loadColours();
    printer.configure({ level: 'info', noColor });
    await printer.data(`${printer.dataColours.yellow('low')}\n`);
    printer.warn('careful');
  }

  it.each([
    [
      'both are terminals',
      true,
      true,
      false,
      '\u001B[33mlow\u001B[39m\n',
      '\u001B[33mwarning:\u001B[39m careful\n',
    ],
    ['data goes to a file', false, true, false, 'low\n', '\u001B[33mwarning:\u001B[39m careful\n'],
    ['messages go to a file', true, false, false, '\u001B[33mlow\u001B[39m\n', 'warning: careful\n'],
    ['neither is a terminal', false, false, false, 'low\n', 'warning: careful\n'],
    ['a setting forbids it', true, true, true, 'low\n', 'warning: careful\n'],
  ])('is where a terminal is: %s', async (_, data, messages, noColor, onData, onMessages) => {
    const screens = { data: new Screen(80, data), messages: new Screen(80, messages) };
    await printed(screens, noColor);
    expect([screens.data.text, screens.messages.text]).toEqual([onData, onMessages]);
  });
});

it.each(['name', 'näme', 'a\u0308b', '鉛筆'])(
  'a coloured title is whole, above its column: %s',
  async (name) => {
    const printed = async (noColor: boolean): Promise<string> => {
      const screen = new Screen(80);
      const printer = new Printer(screen, new Screen(80));
      await printer.loadColours();
      printer.configure({ level: 'info', noColor });
      await printTable(
        printer,
        [{ text: '7' }, { text: 'x' }],
        [
          { title: 'PARTITION', align: 'right', cell: ({ text }) => text },
          { title: name, cell: () => 'y' },
          { title: 'COMMITTED', cell: ({ text }) => text },
        ],
      );
      return screen.text;
    };
    const coloured = await printed(false);
    expect(coloured).toContain('\u001B[1mCOMMITTED\u001B[22m\n');
    expect(stripVTControlCharacters(coloured)).toBe(await printed(true));
    const columns = (await printed(true))
      .split('\n')
      .slice(0, 2)
      .map((line) => stringWidth(line.slice(0, line.search(/COMMITTED|7$/))));
    expect(columns[0]).toBe(columns[1]);
  },
);

describe('orders on a terminal', () => {
  const accepted = { kind: 'accepted', stock: [50] } as const;
  const rejected: Decided['outcome'] = {
    kind: 'rejected',
    reason: 'insufficient_stock',
    detail: '',
    userStatus: 'paid',
    stock: [50],
  };
  const decided = (end: string, outcome: Decided['outcome']): Decided => ({
    order: {
      orderId: `ORD-019ac3b2-7c1e-7353-97b7-eb1d84de${end}`,
      user: 'alexander',
      items: ['book', 'pen', 'cup'].map((item) => ({ item, quantity: 3, unitPrice: null })),
      createdAt: 0,
    },
    outcome,
    record: { topic: 'orders', partition: 3, offset: 17 },
    decidedAt: Date.UTC(2026, 10, 28, 10, 20, 48, 123),
  });
  const printed = async (columns: number): Promise<string[]> => {
    const screen = new Screen(columns);
    const rows = [decided('0001', accepted), decided('0002', rejected)];
    await printTable(new Printer(screen, new Screen(80)), rows, ORDER_COLUMNS, NARROW_ORDER_COLUMNS);
    return screen.text.trimEnd().split('\n');
  };

  it('fit 80 columns: ids are shortened in the middle, time and outcome are whole', async () => {
    const lines = await printed(80);
    expect(lines[0]).toMatch(/^DECIDED +ORDER +USER +ITEMS +OUTCOME$/);
    expect(lines[1]).toBe('2026-11-28T10:20:48Z  ORD-0…de0001  alexander  book×3, pen×…  accepted');
    expect(lines[2]).toMatch(/…\S*0002 .* {2}insufficient_stock$/);
    expect(Math.max(...lines.map((line) => line.length))).toBe(80);
  });

  it('name a hundred of their lines and count the others', () => {
    const large = decided('0003', accepted);
    const items = Array.from({ length: 40_000 }, () => ({ item: 'pen', quantity: 1, unitPrice: null }));
    const cell = ORDER_COLUMNS.find(({ title }) => title === 'ITEMS')?.cell;
    const text = cell?.({ ...large, order: { ...large.order, items } }) ?? '';
    expect(text.match(/pen×1/g)).toHaveLength(100);
    expect(text).toMatch(/, and 39,900 more$/);
  });

  it('are whole where there is room', async () => {
    const lines = await printed(160);
    expect(lines[0]).toMatch(/STATUS .*RECORD$/);
    expect(lines.join('')).not.toContain('…');
  });
});

it('a log of edits on 80 columns has each change whole, and says that something is left out', async () => {
  const change = (quantity: number, why?: string): EditedRow => ({
    number: quantity % 10,
    edit: {
      kind: 'item',
      item: 'notebook',
      at: 0,
      by: 'a-long-name@a-host',
      via: 'command',
      before: { item: 'notebook', quantity, name: null, price: null, reorderLevel: null, extra: {} },
      after: {
        item: 'notebook',
        quantity: quantity + 1,
        name: null,
        price: null,
        reorderLevel: null,
        extra: {},
      },
      ...(why === undefined ? {} : { why }),
    },
    sold: 7,
    delivered: 20,
  });
  const printed = async (columns: number): Promise<[string, string]> => {
    const [data, messages] = [new Screen(columns), new Screen(columns)];
    const session = { printer: new Printer(data, messages), isJson: false, isCsv: false };
    const rows = [change(100_000), change(100_001, 'somebody has counted all of them again')];
    await printEditLog(session as unknown as Session, 'inventory', { rows, earlier: [change(1), change(2)] });
    return [data.text, messages.text];
  };
  const [wide, silence] = await printed(200);
  expect(wide).toMatch(/^EDIT +WHEN +ITEM +SOLD +DELIVERED +CHANGE +HOW +BY +WHY\n/);
  expect(silence).toBe(
    '2 earlier rows of 2 edits not listed: --limit N lists more; without --limit, -o csv and -o json list all\n',
  );
  const [narrow, word] = await printed(80);
  expect(narrow.match(/quantity 10000\d → 10000\d/g)).toHaveLength(2);
  expect(narrow).toMatch(/^EDIT +WHEN +ITEM +CHANGE +WHY\n/);
  // The reason goes on in further lines, whole.
  const reason = narrow
    .split('\n')
    .slice(1)
    .map((line) => line.slice(narrow.indexOf('WHY')));
  expect(reason.join(' ').replaceAll(/ +/g, ' ').trim()).toBe('somebody has counted all of them again');
  expect(word).toContain('-o csv');
  const [narrowest] = await printed(66);
  expect(narrowest).toMatch(/^EDIT +WHEN +ITEM +CHANGE +WHY\n/);
});

it('what-if on 80 columns has times whole, and reasons in further lines', async () => {
  const screen = new Screen(80);
  const at = Date.UTC(2026, 10, 28, 10, 20, 48, 123);
  const order = {
    orderId: 'ORD-0197c2d4-aaaa',
    flow: 'direct',
    was: 'accepted',
    wouldBe: 'rejected',
    detail: 'insufficient_stock: 12 of notebook are on hand, 15 are wanted',
    decidedAt: at,
  };
  const item = {
    item: 'notebook-a5-squared',
    quantity: { was: 12, wouldBe: -3 },
    ranOutAt: { was: at, wouldBe: at + 86_400_000 },
  };
  await printWhatIf(new Printer(screen, new Screen(80)), {
    decided: 3,
    unknown: 0,
    orders: [order],
    items: [item],
    reached: { seq: null, at, unnumbered: 0 },
    counts: { accepted: 0, rejected: 1, not_sent: 0, rejected_otherwise: 0 },
    revenue: { was: 200n, wouldBe: 100n },
    unpriced: { was: 0, wouldBe: 0 },
  } as unknown as WhatIf);
  expect(screen.text).toMatch(/2026-11-28T10:20:48Z +2026-11-29T10:20:48Z$/m);
  expect(screen.text).not.toContain('…');
  expect(Math.max(...screen.text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80);
});

it('data for people breaks between words at the edge of the terminal, commands whole, and is as it is elsewhere', async () => {
  const text = 'compared 3 items, 2 users and 5 accepted orders; see orderctl audit --with-topic too\n';
  const printed = async (screen: Screen): Promise<string> => {
    await new Printer(screen, new Screen(80)).text(text);
    return screen.text;
  };
  expect(await printed(new Screen(50))).toBe(
    'compared 3 items, 2 users and 5 accepted orders;\nsee orderctl audit --with-topic too\n',
  );
  expect(await printed(new Screen(50, false))).toBe(text);
});

it('what is in columns goes on under its last column', async () => {
  const screen = new Screen(40);
  const lines = [
    'items     pen×2 at 1.20',
    '          notebook×3 at 12.50 (7 on hand before it)',
    '  10:20:48Z  paid  2.40 as 7d0c, after 2 tries (orders.validated/0@3)',
    '  - see what became of it: it is on its way',
  ];
  await new Printer(screen, new Screen(80)).text(lines.join('\n'));
  expect(screen.text.split('\n')).toEqual([
    'items     pen×2 at 1.20',
    '          notebook×3 at 12.50 (7 on hand',
    '          before it)',
    '  10:20:48Z  paid  2.40 as 7d0c, after 2',
    '                   tries',
    '                   (orders.validated/0@3)',
    '  - see what became of it: it is on its',
    '    way',
  ]);
});

describe('the width', () => {
  it('is that of the terminal; a file has none, and one that does not say is as good as 80', () => {
    const width = (screen: Screen): number | null => new Printer(screen, new Screen(80)).dataColumns;
    expect(width(new Screen(40))).toBe(40);
    expect(width(new Screen(40, false))).toBeNull();
    expect(width(new Screen(0))).toBeNull();
    expect(columnsOf(new PassThrough())).toBeNull();
    expect(new Terminal(new Screen(40)).getWidth()).toBe(40);
    expect(new Terminal(new Screen(0)).getWidth()).toBe(80);
  });
});

describe('a progress bar', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  function started(columns: number, total = 200) {
    const [data, messages] = [new Screen(columns), new Screen(columns)];
    const printer = new Printer(data, messages);
    printer.configure({ level: 'info', noColor: true });
    return { printer, data, messages, bar: startBar(printer, 'sending', total) };
  }

  it('says how far it is, in one line that is drawn in place', () => {
    const { messages, bar } = started(120);
    bar.add(50);
    vi.advanceTimersByTime(1_000);
    expect(messages.lines).toEqual([expect.stringMatching(/^sending \[=+-+\] 25% 50\/200 .*ETA/)]);
    bar.add(100);
    vi.advanceTimersByTime(1_000);
    expect(messages.lines).toEqual([expect.stringContaining('75% 150/200')]);
    bar.stop();
  });

  it('never says more than all', () => {
    const { messages, bar } = started(120, 3);
    bar.add(5);
    vi.advanceTimersByTime(1_000);
    expect(messages.lines).toEqual([expect.stringContaining('100% 3/3')]);
    bar.stop();
  });

  it('keeps within the terminal, so that it can be drawn over', () => {
    const { messages, bar } = started(30);
    bar.add(50);
    vi.advanceTimersByTime(1_000);
    expect(messages.lines[0]?.length).toBeGreaterThan(20);
    expect(messages.lines[0]?.length).toBeLessThan(30);
    bar.stop();
  });

  it('stands below what is said meanwhile, on either stream, and leaves nothing behind', async () => {
    const { printer, data, messages, bar } = started(120);
    vi.advanceTimersByTime(1_000);
    printer.info('a message');
    expect(messages.lines).toEqual(['a message', expect.stringContaining('sending [')]);
    const before = messages.text;
    await printer.data('data\n');
    // Both go to one terminal: the bar makes room first and comes back after.
    expect(data.text).toBe('data\n');
    const drawn = messages.text.slice(before.length);
    expect(drawn.startsWith(CLEAR)).toBe(true);
    expect(drawn).toContain('sending [');
    bar.stop();
    expect(messages.lines).toEqual(['a message', '']);
    const atEnd = messages.text;
    vi.advanceTimersByTime(10_000);
    printer.info('the last word');
    expect(messages.text).toBe(`${atEnd}the last word\n`);
  });
});

describe('a question', () => {
  const [stdin, stderr] = (['stdin', 'stderr'] as const).map((name) =>
    Object.getOwnPropertyDescriptor(process, name),
  );
  let input: PassThrough & { isTTY?: boolean };
  let output: Screen;

  beforeEach(() => {
    input = Object.assign(new PassThrough(), { isTTY: true });
    output = new Screen(80);
    Object.defineProperty(process, 'stdin', { value: input, configurable: true });
    Object.defineProperty(process, 'stderr', { value: output, configurable: true });
  });
  afterEach(() => {
    Object.defineProperty(process, 'stdin', stdin ?? {});
    Object.defineProperty(process, 'stderr', stderr ?? {});
  });

  it.each([
    ['y\n', true],
    ['Yes\n', true],
    [' y \n', true],
    ['n\n', false],
    ['\n', false],
    ['yesterday\n', false],
  ])('answered %j is %s', async (answer, sure) => {
    const asked = confirm('Remove user bob?', false);
    input.write(answer);
    expect(await asked).toBe(sure);
    expect(output.text).toContain('Remove user bob? [y/N] ');
  });

  it('that nobody can answer any more is a no', async () => {
    const asked = confirm('Remove user bob?', false);
    input.end();
    expect(await asked).toBe(false);
  });

  it('left by Ctrl-C is an interruption', async () => {
    const asked = confirm('Remove user bob?', false);
    input.write('\u0003');
    await expect(asked).rejects.toMatchObject({ code: 'interrupted' });
    expect(output.text).toMatch(/\n$/);
  });

  it('is not asked where --yes answers it, and is an error off a terminal', async () => {
    expect(await confirm('Remove user bob?', true)).toBe(true);
    expect(output.text).toBe('');
    input.isTTY = false;
    await expect(confirm('Remove user bob?', false)).rejects.toMatchObject({
      code: 'usage',
      fix: 'add --yes',
    });
  });
});

it('dead letters on 80 columns have their places whole, and without room for messages none of them', async () => {
  const columns = deadLetterColumns({ byGroup: new Map([['g', 1]]) });
  const row = {
    id: 'orders.validated.dlq:2:17',
    state: 'open',
    code: 'gateway_unavailable',
    sizeBytes: 42,
    failedAt: '2026-11-28T10:20:48.000Z',
    from: 'orders.validated/2@4711',
    group: 'g',
    message: 'the gateway did not answer for an hour and six minutes, six times',
  };
  const printed = async (width: number): Promise<string> => {
    const screen = new Screen(width);
    await printTable(new Printer(screen, new Screen(80)), [row], columns, ...narrowerColumns(columns));
    return screen.text;
  };
  const narrow = await printed(80);
  expect(narrow).toMatch(/^ID +STATE +REASON +FROM\n/);
  for (const whole of [row.id, row.code, row.from]) expect(narrow).toContain(whole);
  expect(await printed(130)).toMatch(/^ID +STATE +REASON +FAILED AT +FROM +BYTES\n/);
  expect(await printed(300)).toContain(row.message);
});
