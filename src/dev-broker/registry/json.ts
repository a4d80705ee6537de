/** Real schemas stay under fifty. Bounds all recursion over the parsed value. */
const MAX_DEPTH = 200;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * JSON.parse for untrusted text. @throws SyntaxError when it is not valid JSON or nests too deeply
 */
export function parseJson(text: string): unknown {
  let depth = 0;
  let isInString = false;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (isInString) {
      if (char === '\\') i += 1;
      else if (char === '"') isInString = false;
    } else if (char === '"') isInString = true;
    else if (char === '{' || char === '[') {
      depth += 1;
      if (depth > MAX_DEPTH) throw new SyntaxError(`it is nested more than ${MAX_DEPTH} levels deep`);
    } else if (char === '}' || char === ']') depth -= 1;
  }
  return JSON.parse(text);
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Own members only: a schema may well call something `constructor`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether it contains a number beyond the precision of a double, which printing would change. */
export function hasUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number') {
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  }
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeNumber);
}
