import { describe } from 'vitest';
import { systemClock } from '../../src/compose.ts';
import { ModelFolder } from '../support/model.ts';
import { storePartsContract } from './store-parts.suite.ts';

describe('the model store', () => {
  storePartsContract(async () => {
    const folder = new ModelFolder(systemClock);
    return { access: () => folder, [Symbol.asyncDispose]: async () => undefined };
  });
});
