import path from 'node:path';
import type { Advice } from '../../../domain/advice.ts';
import { Failure } from '../../../domain/failure.ts';
import type { Hello } from './wire.ts';

export function describe(hello: Hello | null): string {
  if (hello === null) return 'another process';
  return `process ${hello.pid} (${hello.purpose}, since ${hello.startedAt})`;
}

export function inUse(folder: string, hello: Hello | null, answers: boolean): Failure {
  const silent = answers ? '' : ', which does not answer: it is paused or very busy';
  const message = `${path.dirname(folder)} is in use by ${describe(hello)}${silent}`;
  const fix: Advice = answers ? { kind: 'stop_owner' } : wakeOrEnd(hello);
  return new Failure('folder_in_use', message, { fix });
}

export function unreachable(folder: string, hello: Hello | null): Failure {
  const message = `${path.dirname(folder)} belongs to ${describe(hello)}, which does not answer; it received no request`;
  return new Failure('owner_unreachable', message, {
    fix: { kind: 'in_turn', steps: [wakeOrEnd(hello), 'try again'] },
  });
}

function wakeOrEnd(hello: Hello | null): Advice {
  return { kind: 'wake_owner', pid: hello?.pid ?? null };
}
