/*
 * The registry's errors, with the codes of the Confluent Schema Registry. Source:
 * https://docs.confluent.io/platform/current/schema-registry/develop/api.html
 */

/** Answered as `{error_code, message}`; the code begins with the HTTP status. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }

  /** 404 of 40401, 409 of 409. */
  get status(): number {
    return Number(String(this.code).slice(0, 3));
  }
}

export const subjectNotFound = (subject: string): RegistryError =>
  new RegistryError(40401, `Subject '${subject}' not found.`);

export const versionNotFound = (version: number | 'latest'): RegistryError =>
  new RegistryError(40402, `Version ${version} not found.`);

export const schemaNotFound = (id?: number): RegistryError =>
  new RegistryError(40403, id === undefined ? 'Schema not found' : `Schema ${id} not found`);

export const subjectSoftDeleted = (subject: string): RegistryError =>
  new RegistryError(
    40404,
    `Subject '${subject}' was soft deleted. Set permanent=true to delete it permanently`,
  );

export const subjectNotSoftDeleted = (subject: string): RegistryError =>
  new RegistryError(40405, `Subject '${subject}' was not deleted first before being permanently deleted`);

export const versionSoftDeleted = (subject: string, version: number): RegistryError =>
  new RegistryError(
    40406,
    `Version ${version} of subject '${subject}' was soft deleted. Set permanent=true to delete it permanently`,
  );

export const versionNotSoftDeleted = (subject: string, version: number): RegistryError =>
  new RegistryError(
    40407,
    `Version ${version} of subject '${subject}' was not deleted first before being permanently deleted`,
  );

export const levelNotConfigured = (subject: string): RegistryError =>
  new RegistryError(40408, `Subject '${subject}' does not have subject-level compatibility configured`);

export const modeNotConfigured = (subject: string): RegistryError =>
  new RegistryError(40409, `Subject '${subject}' does not have subject-level mode configured`);

export const incompatible = (subject: string, details: readonly string[]): RegistryError =>
  new RegistryError(
    409,
    `Schema being registered is incompatible with an earlier schema for subject "${subject}", details: [${details.join(', ')}]`,
  );

export const invalidSchema = (why: string): RegistryError =>
  new RegistryError(42201, `Invalid schema: ${why}`);

export const invalidVersion = (version: string): RegistryError =>
  new RegistryError(
    42202,
    `The specified version '${version}' is not a valid version id. Allowed values are between [1, 2^31-1] and the string "latest"`,
  );

export const invalidLevel = (levels: readonly string[]): RegistryError =>
  new RegistryError(42203, `Invalid compatibility level. Valid values are ${levels.join(', ')}`);

export const referenceExists = (subject: string, version: number): RegistryError =>
  new RegistryError(
    42206,
    `One or more references exist to version ${version} of subject '${subject}'; delete the schemas that refer to it first`,
  );

export const invalidSubject = (subject: string): RegistryError =>
  new RegistryError(42208, `The specified subject ${JSON.stringify(subject)} is not a valid subject name`);

export const storeFailed = (why: string): RegistryError =>
  new RegistryError(50001, `Error in the backend data store: ${why}`);
