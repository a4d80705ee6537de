import type { Item } from '../../src/domain/tables.ts';
import { below, spread, type Draw, type Rows, type Shop } from './shop.ts';

/*
 * What users do to the file between loading and saving it. How often, and how long it takes, is made up; what a rule
 * is worth in each of them does not depend on it, what it is worth in the typical mix does.
 */

/** One save: from what the editor had loaded to what it saves. */
export interface Save {
  readonly base: Rows;
  readonly found: Rows;
  /** The version that `base` is, counted from the first. */
  readonly version: number;
}

/** Does something over a while and gives each save when it is made, between which others may come. */
export type Scenario = (shop: Shop) => Generator<Save>;

type Change = (rows: Map<string, Item>, shop: Shop) => void;

const anyOf = <T>(draw: Draw, list: readonly T[]): T => list[below(draw, list.length)] as T;

/** A few of the names, each once. */
function some(shop: Shop, rows: Rows, pick: () => string): string[] {
  const wanted = Math.min(rows.size, 1 + below(shop.draw, 5));
  const names = new Set<string>();
  for (let tries = 0; names.size < wanted && tries < 50; tries++) {
    const name = pick();
    if (rows.has(name)) names.add(name);
  }
  return [...names];
}

function set(rows: Map<string, Item>, name: string, change: (row: Item) => Partial<Item>): void {
  const row = rows.get(name);
  if (row !== undefined) rows.set(name, { ...row, ...change(row) });
}

const more = (draw: Draw) => {
  const by = anyOf(draw, [10, 12, 20, 24, 25, 30, 40, 50, 60, 100, 144, 200]);
  return ({ quantity }: Item) => ({ quantity: quantity + by });
};
const uniform = (shop: Shop, rows: Rows) => (): string => anyOf(shop.draw, [...rows.keys()]);

export const restockOfWhatSells: Change = (rows, shop) => {
  for (const name of some(shop, rows, () => shop.popular())) set(rows, name, more(shop.draw));
};
const restockOfAnything: Change = (rows, shop) => {
  for (const name of some(shop, rows, uniform(shop, rows))) set(rows, name, more(shop.draw));
};
/** What lies on the shelf by now, less what was lost. */
const counted: Change = (rows, shop) => {
  for (const name of some(shop, rows, uniform(shop, rows))) {
    const onShelf = shop.table.rows.get(name)?.quantity ?? 0;
    set(rows, name, () => ({ quantity: Math.max(0, onShelf - below(shop.draw, 3)) }));
  }
};
const prices: Change = (rows, shop) => {
  for (const name of some(shop, rows, uniform(shop, rows))) {
    set(rows, name, ({ price }) => ({ price: (Number(price ?? 1) * 1.07).toFixed(2) }));
  }
};
const levels: Change = (rows, shop) => {
  for (const name of some(shop, rows, uniform(shop, rows))) {
    set(rows, name, ({ reorderLevel }) => ({ reorderLevel: (reorderLevel ?? 0) + 5 }));
  }
};
const priceOfAll: Change = (rows) => {
  for (const name of [...rows.keys()]) {
    set(rows, name, ({ price }) => ({ price: (Number(price ?? 1) * 1.05).toFixed(2) }));
  }
};
const tenToAll: Change = (rows) => {
  for (const name of [...rows.keys()]) set(rows, name, ({ quantity }) => ({ quantity: quantity + 10 }));
};
const addRows: Change = (rows, shop) => {
  for (let left = 1 + below(shop.draw, 3); left > 0; left--) {
    const row = shop.newItem();
    rows.set(row.item, row);
  }
};
/** Less than half of them: more is refused whatever the base. */
const deleteRows: Change = (rows, shop) => {
  const most = Math.floor(rows.size / 2);
  for (const name of some(shop, rows, uniform(shop, rows)).slice(0, most)) rows.delete(name);
};

/** How long a file is open before it is saved. */
const openMs = (shop: Shop): number => spread(shop.draw, 5_000, 40 * 60_000);

function load(shop: Shop): Pick<Save, 'base' | 'version'> {
  shop.pass(spread(shop.draw, 10_000, 15 * 60_000));
  // Now and then it is looked at first, and loaded a little later.
  if (shop.draw() < 0.3) {
    shop.read();
    shop.pass(spread(shop.draw, 2_000, 120_000));
  }
  shop.read();
  return { base: shop.file, version: shop.versions - 1 };
}

const once = (change: Change): Scenario =>
  function* (shop) {
    const { base, version } = load(shop);
    const found = new Map(base);
    const wait = openMs(shop);
    shop.pass(wait * 0.9);
    change(found, shop);
    shop.pass(wait * 0.1);
    yield { base, found, version };
  };

/** Rows are added, sold from or not, and deleted in another go. */
const addedThenDeleted: Scenario = function* (shop) {
  const first = load(shop);
  const added = new Map(first.base);
  shop.pass(openMs(shop));
  addRows(added, shop);
  yield { ...first, found: added };
  const second = load(shop);
  const found = new Map(second.base);
  for (const name of added.keys()) if (!first.base.has(name)) found.delete(name);
  shop.pass(openMs(shop));
  yield { ...second, found };
};

/** The spreadsheet stays open after a save, and is saved again: what it goes on from is what it has saved. */
const secondSave: Scenario = function* (shop) {
  let { base, version } = load(shop);
  for (let save = 0; save < 2; save++) {
    const found = new Map(base);
    shop.pass(openMs(shop));
    anyOf(shop.draw, [restockOfAnything, restockOfWhatSells, prices])(found, shop);
    yield { base, found, version };
    base = found;
    version = shop.versions - 1;
  }
};

/** An editor saves every few seconds while a number is typed. */
const autosave: Scenario = function* (shop) {
  let { base, version } = load(shop);
  const [name = ''] = some(shop, base, uniform(shop, base));
  const typed = String((base.get(name)?.quantity ?? 0) + 10 + below(shop.draw, 300));
  shop.pass(spread(shop.draw, 3_000, 120_000));
  for (let digits = 1; digits <= typed.length; digits++) {
    const found = new Map(base);
    set(found, name, () => ({ quantity: Number(typed.slice(0, digits)) }));
    yield { base, found, version };
    base = found;
    version = shop.versions - 1;
    shop.pass(1_000 + below(shop.draw, 5_000));
  }
};

/** A save is taken back in the editor, and saved so. */
const takenBack: Scenario = function* (shop) {
  const { base, version } = load(shop);
  const found = new Map(base);
  shop.pass(openMs(shop));
  restockOfAnything(found, shop);
  yield { base, found, version };
  const saved = shop.versions - 1;
  shop.pass(spread(shop.draw, 5_000, 10 * 60_000));
  yield { base: found, found: base, version: saved };
};

const MIX: readonly (readonly [weight: number, Scenario])[] = [
  [20, once(restockOfWhatSells)],
  [20, once(restockOfAnything)],
  [6, once(counted)],
  [15, once(prices)],
  [6, once(levels)],
  [2, once(priceOfAll)],
  [1, once(tenToAll)],
  [8, once(addRows)],
  [6, once(deleteRows)],
  [4, addedThenDeleted],
  [8, secondSave],
  [2, autosave],
  [2, takenBack],
];

const typicalMix: Scenario = function* (shop) {
  let left = shop.draw() * MIX.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, scenario] of MIX) {
    left -= weight;
    if (left >= 0) continue;
    yield* scenario(shop);
    return;
  }
};

export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'typical mix': typicalMix,
  'restock of what sells': once(restockOfWhatSells),
  'restock of anything': once(restockOfAnything),
  'stock counted': once(counted),
  'price of a few rows': once(prices),
  'rows added': once(addRows),
  'rows deleted': once(deleteRows),
  'rows added, then deleted': addedThenDeleted,
  'price of all rows': once(priceOfAll),
  '+10 to all rows': once(tenToAll),
  'second save from one spreadsheet': secondSave,
  'autosave while typing': autosave,
  'taken back in the editor': takenBack,
};
