import { expect, it } from 'vitest';
import { sumInWords } from '../../../src/cli/demo/story.ts';

it('the figures of the demo add up, with what only the journal had', () => {
  expect(sumInWords({ inLogs: 160, decided: 285, read: 124, sent: 285 })).toBe(
    '160 in the logs + 1 that only the journal had when the consumer was killed + 124 read now = 285 decided, of 285 sent',
  );
  expect(sumInWords({ inLogs: 161, decided: 285, read: 124, sent: 285 })).toBe(
    '161 in the logs + 124 read now = 285 decided, of 285 sent',
  );
});
