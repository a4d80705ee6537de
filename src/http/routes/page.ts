import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const FILES = {
  '/': { file: 'page.html', type: 'text/html; charset=utf-8' },
  '/page.js': { file: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/page.css': { file: 'page.css', type: 'text/css; charset=utf-8' },
} as const;

/** Serves the page, which the build puts next to this file; it is read at the first request. */
export function pageRoutes(server: FastifyInstance): void {
  for (const [url, { file, type }] of Object.entries(FILES)) {
    let bytes: Buffer | undefined;
    server.get(url, { schema: { hide: true } }, (_request, reply) => {
      bytes ??= readFileSync(new URL(file, import.meta.url));
      return reply.type(type).header('cache-control', 'no-cache').send(bytes);
    });
  }
}
