import { type InspectOptions, inspect } from 'node:util';

// What containers show of themselves. One that lies in itself, directly or in another, is found by the stack of those that
// are being shown: each wrapper is the only one of its object here.

const inspected: object[] = [];
const written: object[] = [];

/** For `[inspect.custom]`: the contents behind a title, as deep as the options say. */
export function inspectContents(
  container: object,
  title: string,
  depth: number | null,
  options: InspectOptions,
  contents: () => object,
): string {
  if (inspected.includes(container)) return `[Circular ${title}]`;
  if (depth !== null && depth < 0) return `[${title}]`;
  inspected.push(container);
  try {
    return `${title} ${inspect(contents(), { ...options, depth })}`;
  } finally {
    inspected.pop();
  }
}

/**
 * For `toJSON`: contents in which no container is left.
 *
 * @throws TypeError for a container that lies in itself, as `JSON.stringify` does for other such values.
 */
export function contentsForJson(container: object, contents: () => unknown): unknown {
  if (written.includes(container)) {
    throw new TypeError('A container that lies in itself cannot be written as JSON.');
  }
  written.push(container);
  try {
    return plain(contents(), []);
  } finally {
    written.pop();
  }
}

function plain(value: unknown, trail: readonly object[]): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (trail.includes(value)) throw new TypeError('A value that lies in itself cannot be written as JSON.');
  const further = [...trail, value];
  if (Array.isArray(value)) return value.map((item) => plain(item, further));
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === 'function') return toJSON.call(value) as unknown;
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (prototype !== Object.prototype && prototype !== null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, further)]));
}
