import fs from 'node:fs';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startDevRegistry } from '../../../../src/dev-broker/registry/server.ts';
import { DamagedLog, EventLog } from '../../../../src/dev-broker/registry/storage.ts';
import { A, B, given, openRegistry, record, tempFolder } from './support.ts';

it('all that was answered is there after a restart', async () => {
  const { registry, dataDir, ask } = await openRegistry();
  await ask('POST', '/subjects/s/versions', given(record(A)));
  await ask('POST', '/subjects/s/versions', given(record(A, B)));
  await ask('POST', '/subjects/gone/versions', given(record(B)));
  await ask('DELETE', '/subjects/gone');
  await ask('DELETE', '/subjects/gone?permanent=true');
  await ask('DELETE', '/subjects/s/versions/1');
  await ask('PUT', '/config', { compatibility: 'FULL' });
  await ask('PUT', '/config/s', { compatibility: 'NONE' });
  await registry.stop();

  const { ask: again } = await openRegistry({ dataDir });
  expect((await again('GET', '/subjects?deleted=true')).body).toEqual(['s']);
  expect((await again('GET', '/subjects/s/versions')).body).toEqual([2]);
  expect((await again('GET', '/subjects/s/versions?deleted=true')).body).toEqual([1, 2]);
  expect((await again('GET', '/config')).body).toEqual({ compatibilityLevel: 'FULL' });
  expect((await again('GET', '/config/s')).body).toEqual({ compatibilityLevel: 'NONE' });
  // Neither the id nor the version of what was deleted for good.
  expect((await again('POST', '/subjects/gone/versions', given(record(B)))).body).toEqual({ id: 4 });
  expect((await again('GET', '/subjects/gone/versions')).body).toEqual([2]);
});

it('a port in use is told of, and the log is let go', async () => {
  const { registry } = await openRegistry();
  const port = Number(new URL(registry.url).port);
  await expect(startDevRegistry({ port, dataDir: tempFolder() })).rejects.toMatchObject({
    code: 'EADDRINUSE',
  });
});

it('stops twice, and with a connection open', async () => {
  const { registry, ask } = await openRegistry();
  await ask('GET', '/subjects');
  await Promise.all([registry.stop(), registry.stop()]);
  await expect(fetch(registry.url)).rejects.toThrow();
});

function logOf(...events: object[]): { file: string; sizes: number[] } {
  const file = path.join(tempFolder(), 'registry.log');
  const { log } = EventLog.open(file);
  const sizes = events.map((event) => {
    log.append(event);
    return fs.statSync(file).size;
  });
  log.close();
  return { file, sizes };
}

function read(file: string): unknown[] {
  const { log, events } = EventLog.open(file);
  log.close();
  return events;
}

it('a write torn at any byte is cut off, and writing goes on', () => {
  const { file, sizes } = logOf({ n: 1 }, { n: 2, text: 'ü\n' });
  const [first = 0, second = 0] = sizes;
  const whole = fs.readFileSync(file);
  for (let size = first; size < second; size += 1) {
    fs.writeFileSync(file, whole.subarray(0, size));
    const { log, events } = EventLog.open(file);
    expect(events).toEqual([{ n: 1 }]);
    log.append({ n: 3 });
    log.close();
    expect(read(file)).toEqual([{ n: 1 }, { n: 3 }]);
  }
});

it('a tail that was never written through, be it zeros with line ends, is cut off', () => {
  const { file } = logOf({ n: 1 });
  fs.appendFileSync(file, Buffer.from('\0\0\n\0\n00000000 {"n":2}\n\0'));
  expect(read(file)).toEqual([{ n: 1 }]);
  expect(fs.readFileSync(file, 'utf8')).toMatch(/^[0-9a-f]{8} \{"n":1\}\n$/);
});

it('a changed bit before the last entry is refused, and the file stays as it is', () => {
  const { file, sizes } = logOf({ n: 1 }, { n: 2 }, { n: 3 });
  const bytes = fs.readFileSync(file);
  const at = (sizes[0] ?? 0) + 12;
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  expect(() => EventLog.open(file)).toThrow(DamagedLog);
  expect(() => EventLog.open(file)).toThrow(`${file}:2 `);
  expect(fs.readFileSync(file)).toEqual(bytes);
});

it.each(['writeSync', 'fdatasyncSync'] as const)(
  '%s fails: 50001, nothing changes, reading goes on',
  async (call) => {
    const { dataDir, registry, ask } = await openRegistry();
    await ask('POST', '/subjects/s/versions', given(record(A)));
    const failing = vi.spyOn(fs, call).mockImplementationOnce(() => {
      throw new Error('ENOSPC: no space left on device');
    });
    onTestFinished(() => failing.mockRestore());
    for (let i = 0; i < 2; i += 1) {
      expect(await ask('POST', '/subjects/s/versions', given(record(A, B)))).toMatchObject({
        status: 500,
        body: { error_code: 50001, message: expect.stringContaining('ENOSPC') as string },
      });
    }
    // The second was not even tried: what the first one left in the file is not known.
    expect(failing).toHaveBeenCalledTimes(1);
    expect((await ask('GET', '/subjects/s/versions')).body).toEqual([1]);
    await registry.stop();
    const { ask: again } = await openRegistry({ dataDir });
    expect((await again('POST', '/subjects/s/versions', given(record(A, B)))).body).toEqual({ id: 2 });
  },
);
