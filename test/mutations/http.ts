import type { Mutation } from './list.ts';

/** Promises of the HTTP API. */
export const HTTP: readonly Mutation[] = [
  {
    name: 'one that was sent twice after a crash is in two pages',
    file: 'src/app/topics/from-end.ts',
    from: 'mark === null ? end : Math.min(to + COPIES_WITHIN, end)',
    to: 'mark === null ? end : to',
    tests: ['test/app/dlq-page.test.ts'],
  },
  {
    name: 'a page reads a topic to its beginning for what is rare',
    file: 'src/app/topics/from-end.ts',
    from: 'looked < LOOKED_AT && rows.length < limit',
    to: 'rows.length < limit',
    tests: ['test/app/dlq-page.test.ts'],
  },
  {
    name: 'an audit goes on that nobody waits for any more',
    file: 'src/app/shared-read.ts',
    from: 'if (running.waiting === 0) this.#end(running);',
    to: '',
    tests: ['test/app/shared-read.test.ts'],
  },
  {
    name: 'each who asks starts an audit of its own',
    file: 'src/app/shared-read.ts',
    from: 'const running = (this.#running ??= this.#start());',
    to: 'const running = (this.#running = this.#start());',
    tests: ['test/app/shared-read.test.ts'],
  },
  {
    name: 'a schema that another process registers at the same moment ends the run',
    file: 'src/adapters/avro/registry.ts',
    from: 'if (found !== undefined) return found.id;',
    to: '',
    tests: ['test/unit/avro/registry-path.test.ts'],
  },
  {
    name: 'of two edits that rest on one look at a row both are made',
    file: 'src/domain/edits/conditional.ts',
    from: "if (row !== null && (row === 'another' || !isRowBefore(edit, row))) throw changed(request);",
    to: '',
    tests: ['test/unit/files/conditional-edit.test.ts'],
  },
  {
    name: 'an edit that comes again is refused for what it has changed itself',
    file: 'src/domain/edits/conditional.ts',
    from: 'if (made !== undefined) {',
    to: "if (made !== undefined && row !== 'another') {",
    tests: ['test/unit/files/conditional-edit.test.ts'],
  },
  {
    name: 'an edit that is sent again under its key is made again',
    file: 'src/domain/edits/conditional.ts',
    from: 'key === null ? [] : [newFact(NAMED_EDITS, { key, request, edit })]',
    to: '[] as const',
    tests: ['test/unit/files/conditional-edit.test.ts'],
  },
  {
    name: 'a page of another site may place orders as text, which browsers send without asking',
    file: 'src/http/server.ts',
    from: "server.removeContentTypeParser('text/plain');",
    to: '',
    tests: ['test/e2e/serve-openapi.test.ts'],
  },
  {
    name: 'a request that arrives byte by byte holds its connection for long',
    file: 'src/http/server.ts',
    from: 'connectionsCheckingInterval: CHECK_EVERY_MS',
    to: 'connectionsCheckingInterval: 600_000',
    tests: ['test/e2e/serve-hostile.test.ts'],
  },
];
