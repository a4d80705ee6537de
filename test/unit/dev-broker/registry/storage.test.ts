import fs from 'node:fs';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startDevRegistry } from '../../../../src/dev-broker/registry/server.ts';
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

it('a port in use is reported, and the log is released', async () => {
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
