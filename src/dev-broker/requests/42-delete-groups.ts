import type { ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

export const deleteGroups = api<
  readonly string[],
  readonly { readonly groupId: string; readonly error: ErrorCode }[]
>({
  key: 42,
  name: 'DeleteGroups',
  min: 0,
  max: 2,
  flexibleFrom: 2,
  read: (reader) => reader.array(() => reader.string()),
  handle: (groupIds, { broker }) =>
    groupIds.map((groupId) => ({ groupId, error: broker.groups.delete(groupId) })),
  write(writer, results) {
    writer.int32(0); // throttle time
    writer.structs(results, ({ groupId, error }) => {
      writer.string(groupId);
      writer.int16(error);
    });
  },
  fail: (groupIds, error) => groupIds.map((groupId) => ({ groupId, error })),
});
