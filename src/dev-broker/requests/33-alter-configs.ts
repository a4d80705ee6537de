import { notAltered, alterTopic, writeAltered, type Altered, type Resource } from './alter-topic.ts';
import { api } from './api.ts';

interface Request {
  readonly resources: readonly (Resource & {
    /** Replaces all settings: those not named return to their defaults. */
    readonly configs: readonly { readonly name: string; readonly value: string | null }[];
  })[];
  readonly validateOnly: boolean;
}

export const alterConfigs = api<Request, readonly Altered[]>({
  key: 33,
  name: 'AlterConfigs',
  min: 0,
  max: 2,
  flexibleFrom: 2,
  read(reader) {
    const resources = reader.structs(() => ({
      type: reader.int8(),
      name: reader.string(),
      configs: reader.structs(() => ({ name: reader.string(), value: reader.nullableString() })),
    }));
    return { resources, validateOnly: reader.boolean() };
  },
  handle: ({ resources, validateOnly }, { broker }) =>
    resources.map((resource) =>
      alterTopic(resource, broker, validateOnly, () =>
        Object.fromEntries(
          resource.configs.flatMap(({ name, value }) => (value === null ? [] : [[name, value]])),
        ),
      ),
    ),
  write: writeAltered,
  fail: ({ resources }, error) => notAltered(resources, error),
});
