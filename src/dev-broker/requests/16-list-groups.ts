import { ERROR, type ErrorCode } from '../wire/errors.ts';
import { api } from './api.ts';

interface Request {
  /** In lower case; empty for all. */
  readonly states: readonly string[];
  readonly types: readonly string[];
}

interface Response {
  readonly error: ErrorCode;
  readonly groups: readonly {
    readonly groupId: string;
    readonly protocolType: string;
    readonly state: string;
  }[];
}

/** The only type of group here. */
const TYPE = 'classic';

export const listGroups = api<Request, Response>({
  key: 16,
  name: 'ListGroups',
  min: 0,
  max: 5,
  flexibleFrom: 3,
  read(reader, version) {
    const lower = () => reader.string().toLowerCase();
    return {
      states: version >= 4 ? reader.array(lower) : [],
      types: version >= 5 ? reader.array(lower) : [],
    };
  },
  handle({ states, types }, { broker }) {
    const groups = broker.groups
      .all()
      .map(([groupId, { protocolType, state }]) => ({ groupId, protocolType: protocolType ?? '', state }))
      .filter(({ state }) => states.length === 0 || states.includes(state.toLowerCase()))
      .filter(() => types.length === 0 || types.includes(TYPE));
    return { error: ERROR.NONE, groups };
  },
  write(writer, { error, groups }, version) {
    if (version >= 1) writer.int32(0); // throttle time
    writer.int16(error);
    writer.structs(groups, ({ groupId, protocolType, state }) => {
      writer.string(groupId);
      writer.string(protocolType);
      if (version >= 4) writer.string(state);
      if (version >= 5) writer.string(TYPE);
    });
  },
  fail: (_, error) => ({ error, groups: [] }),
});
