import { Failure } from '../../domain/failure.ts';
import { Registry, type RegistryOptions } from './registry/registry.ts';

export interface CodecOptions extends RegistryOptions {
  /** Subject of the message's schema: `orders-value`. */
  readonly subject: string;
  /** Whether to register the schema when the subject lacks it. */
  readonly register: boolean;
}

/** The registry's id for the schema that values are written with; requested once. */
export class OwnSchema {
  readonly registry: Registry;
  readonly #schema: string;
  readonly #options: CodecOptions;
  #id: Promise<number> | undefined;

  constructor(schema: unknown, options: CodecOptions) {
    this.registry = new Registry(options);
    this.#schema = JSON.stringify(schema);
    this.#options = options;
  }

  /** @throws Failure as Codec.encode */
  async id(): Promise<number> {
    this.#id ??= this.#find();
    try {
      return await this.#id;
    } catch (error) {
      this.#id = undefined;
      throw error;
    }
  }

  async #find(): Promise<number> {
    const { subject, register } = this.#options;
    const found = await this.registry.find(subject, this.#schema);
    if (found !== undefined) return found.id;
    if (register) return this.registry.register(subject, this.#schema);
    throw new Failure('not_found', `our schema is not registered under subject ${subject}`, {
      fix: { kind: 'register_schema' },
    });
  }
}
