import { register } from 'node:module';

/*
 * Lets Node run the TypeScript of this project as it is, types left out: `node --import ./test/support/typescript.mjs
 * FILE.ts`. Node can do that by itself only from a later version on than the one that must do.
 */
register('./typescript-hooks.mjs', import.meta.url);
