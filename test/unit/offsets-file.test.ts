import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseOffsets, renderOffsets, type FileOffsets } from '../../src/app/offsets/file.ts';

async function parse(text: string, of = { topics: ['orders'], group: 'g' }): Promise<FileOffsets> {
  const lines = async function* (): AsyncGenerator<string> {
    yield* text.split('\n');
  };
  return parseOffsets(lines(), 'f.csv', of);
}

describe('a file of offsets', () => {
  it('is read as kafka-consumer-groups writes it', async () => {
    // Of one group, with the empty line that it ends in; of several.
    expect((await parse('orders,0,20\norders,1,5\norders,2,0\n\n')).offsets.get('orders')).toEqual(
      new Map([
        [0, 20],
        [1, 5],
        [2, 0],
      ]),
    );
    const several = await parse('g,orders,0,20\nother,orders,0,7\n"g",orders,1,3\ng,payments,0,9\r\n');
    expect(several).toEqual({
      offsets: new Map([
        [
          'orders',
          new Map([
            [0, 20],
            [1, 3],
          ]),
        ],
      ]),
      others: 2,
    });
    const odd = { topics: ['orders'], group: 'a,"b"' };
    expect((await parse('"a,""b""",orders,4,1', odd)).offsets.get('orders')).toEqual(new Map([[4, 1]]));
  });

  it('holds those of several topics', async () => {
    const text = 'orders,0,20\nother,0,7\npayments,0,9\n';
    expect(await parse(text, { topics: ['orders', 'payments'], group: 'g' })).toEqual({
      offsets: new Map([
        ['orders', new Map([[0, 20]])],
        ['payments', new Map([[0, 9]])],
      ]),
      others: 1,
    });
  });

  it('comes back as it was written', async () => {
    const rows = fc.uniqueArray(fc.record({ partition: fc.nat(10_000), offset: fc.maxSafeNat() }), {
      minLength: 1,
      selector: ({ partition }) => partition,
    });
    await fc.assert(
      fc.asyncProperty(rows, async (list) => {
        const { offsets, others } = await parse(renderOffsets('orders', list));
        expect([...(offsets.get('orders') ?? [])]).toEqual(
          list.map(({ partition, offset }) => [partition, offset]),
        );
        expect(others).toBe(0);
      }),
    );
  });

  it.each([
    ['orders,0,1\norders,x,2', 2, 'is not TOPIC,PARTITION,OFFSET'],
    ['orders,0,-1', 1, 'is not TOPIC,PARTITION,OFFSET'],
    ['orders,0,9007199254740993', 1, 'is not TOPIC,PARTITION,OFFSET'],
    ['orders 0 1', 1, 'is not TOPIC,PARTITION,OFFSET'],
    ['TOPIC,PARTITION,OFFSET', 1, 'is not TOPIC,PARTITION,OFFSET'],
    ['orders,0,1\norders,0,2', 2, 'partition 0 is listed a second time'],
    ['', null, 'no line is about topic orders'],
    ['payments,0,1', null, 'no line is about topic orders and group g'],
  ])('%j is refused', async (text, line, why) => {
    const failure = parse(text);
    await expect(failure).rejects.toMatchObject({
      code: 'invalid_input',
      message: expect.stringContaining(why) as unknown,
      context: { file: 'f.csv', ...(line === null ? {} : { line }) },
    });
  });
});
