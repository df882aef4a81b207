import { NotShareableError } from '../errors/index.js';

/** A step on the way to a value. An object is a key of a Map: what it is called is found out when somebody has to be told. */
export type Key = string | number | object;

/** The error for a value that cannot travel, by the way to it: `args[1].onDone`. */
export function refusal(label: string, trail: readonly Key[], what: string): NotShareableError {
  return new NotShareableError(
    `${label}${trail.map(formatKey).join('')} is ${what}, which cannot travel to another process. ` +
      'Send plain data, shared objects, or instances of a class that registerType() knows.',
  );
}

export function describeFunction(fn: unknown): string {
  const { name } = fn as { name?: unknown };
  return typeof name === 'string' && name !== '' ? `a function (${name})` : 'a function';
}

export function describeInstance(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object of an unknown class';
}

function formatKey(key: Key): string {
  if (typeof key === 'number') return `[${key}]`;
  const text = typeof key === 'string' ? key : nameOf(key);
  return /^[A-Za-z_$][\w$]*$/.test(text) ? `.${text}` : `[${JSON.stringify(text)}]`;
}

function nameOf(key: object): string {
  try {
    return String(key);
  } catch {
    return '<key>'; // an object that cannot be made a string
  }
}
