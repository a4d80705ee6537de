import path from 'node:path';
import { Failure } from '../../../domain/failure.ts';
import type { Hello } from './wire.ts';

export function describe(hello: Hello | null): string {
  if (hello === null) return 'another process';
  return `process ${hello.pid} (${hello.purpose}, since ${hello.startedAt})`;
}

export function inUse(folder: string, hello: Hello | null, answers: boolean): Failure {
  const silent = answers ? '' : ', which does not answer: it is paused or very busy';
  const message = `${path.dirname(folder)} is in use by ${describe(hello)}${silent}`;
  const fix = answers
    ? 'stop it first (a consumer: orderctl stop), or use another folder by --storage'
    : `${wakeOrEnd(hello)}: then the folder is free at once`;
  return new Failure('folder_in_use', message, { fix });
}

export function unreachable(folder: string, hello: Hello | null): Failure {
  const message = `${path.dirname(folder)} belongs to ${describe(hello)}, which does not answer; nothing was asked of it`;
  return new Failure('owner_unreachable', message, { fix: `${wakeOrEnd(hello)}, then ask again` });
}

function wakeOrEnd(hello: Hello | null): string {
  return `let it go on (kill -CONT ${hello?.pid ?? 'PID'}) or end it with: orderctl stop --kill`;
}
