import { register } from 'node:module';

/*
 * Lets Node run the TypeScript of this project directly, with its types removed: `node --import
 * ./test/support/typescript.mjs FILE.ts`. Node can do that by itself only in later versions than the oldest one that we
 * support.
 */
register('./typescript-hooks.mjs', import.meta.url);
