import { sleep } from '../text.ts';
import { askForToken, authorization } from './token.ts';

const AGAIN_MS = 1_000;

export interface Listener {
  readonly onOpen: () => void;
  readonly onCut: () => void;
  readonly onEvent: (type: string, data: string) => void;
}

/** Follows GET /events forever and resumes after the last event; an EventSource could not send a token. */
export async function followEvents(listener: Listener): Promise<void> {
  let last: string | null = null;
  for (;;) {
    try {
      const headers = { ...authorization(), ...(last === null ? {} : { 'last-event-id': last }) };
      const response = await fetch('/events', { headers });
      if (response.status === 401) {
        askForToken();
        return;
      }
      if (response.ok && response.body !== null) {
        listener.onOpen();
        for await (const lines of blocksOf(response.body)) {
          const field = (name: string): string | undefined =>
            lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
          last = field('id') ?? last;
          const type = field('event');
          if (type !== undefined) listener.onEvent(type, field('data') ?? '');
        }
      }
    } catch {
      // Reconnects below.
    }
    listener.onCut();
    await sleep(AGAIN_MS);
  }
}

/** The lines of each block; an empty line ends a block. */
async function* blocksOf(body: ReadableStream<Uint8Array>): AsyncGenerator<readonly string[]> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + decoder.decode(value, { stream: true })).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) yield block.split('\n');
  }
}
