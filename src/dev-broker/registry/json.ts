/** Schemas nest by hand: real ones stay under fifty. Recursion over what is parsed is bounded by this. */
const MAX_DEPTH = 200;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * JSON.parse for text from anybody. @throws SyntaxError when it is no JSON or is nested too deeply
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

/** Its own member of that name: a schema may well call something `constructor`. */
export function member(object: JsonObject, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}

/** Whether a number in it is more than a double can tell from its neighbours, so that printing would change it. */
export function hasUnsafeNumber(value: unknown): boolean {
  if (typeof value === 'number') {
    return !Number.isFinite(value) || (Number.isInteger(value) && !Number.isSafeInteger(value));
  }
  return typeof value === 'object' && value !== null && Object.values(value).some(hasUnsafeNumber);
}
