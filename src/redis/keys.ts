import { ValueError } from '../errors/index.js';

const MOST_NAME_LENGTH = 255;

/** The default of what all keys begin with. */
export const PREFIX = 'mp:';

/** How names of objects are written in keys: `{…}` is what decides where in a cluster all keys of the object are. */
export function keyOf(prefix: string, name: string, part = ''): string {
  return `${prefix}{${name.replace(/[%{}]/g, (found) => `%${found.charCodeAt(0).toString(16)}`)}}${part && `:${part}`}`;
}

/**
 * The name among an object's options.
 *
 * @throws TypeError for what is no string or no options; ValueError for one that is empty or too long.
 */
export function nameIn(options: unknown): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw new TypeError('The options are an object, { name }.');
  const { name } = options as { name?: unknown };
  if (name === undefined) return undefined;
  if (typeof name !== 'string') throw new TypeError(`A name is a string; got ${typeof name}.`);
  if (name.length === 0 || name.length > MOST_NAME_LENGTH) {
    throw new ValueError(`A name has 1 to ${MOST_NAME_LENGTH} characters; got ${name.length}.`);
  }
  return name;
}
