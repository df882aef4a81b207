import * as errors from '../errors/index.js';

// Errors keep their class where the other side is sure to have it: JavaScript's own, and this library's. Others become
// an Error of that name.
const classes: Record<string, ErrorConstructor | undefined> = {
  Error,
  EvalError,
  RangeError,
  ReferenceError,
  SyntaxError,
  TypeError,
  URIError,
};

const ours = new Map<string, { prototype: object }>(Object.entries(errors));
const DOM = 'DOMException:';
const OURS = 'multiprocess:';

/** An error with everything that travels beside its own properties. */
export function makeError(className: string, message: string, stack: string | undefined): Error {
  if (className.startsWith(DOM)) return new DOMException(message, className.slice(DOM.length));
  const base =
    (Object.hasOwn(classes, className) && classes[className]) ||
    (className === 'AggregateError' ? AggregateErrorOf : Error);
  const error = new base(message);
  const own = className.startsWith(OURS) ? ours.get(className.slice(OURS.length)) : undefined;
  if (own !== undefined) Object.setPrototypeOf(error, own.prototype);
  hide(error, 'stack', stack);
  const name = className.startsWith(OURS) ? className.slice(OURS.length) : className;
  if (error.name !== name) hide(error, 'name', name);
  return error;
}

/** The name that tells another process which error this is. */
export function errorClass(error: Error): string {
  if (error instanceof DOMException) return DOM + error.name;
  const name: unknown = error.name;
  if (typeof name !== 'string' || name === '') return 'Error';
  // Another library's TimeoutError must not become this one's.
  return error instanceof errors.MultiprocessError && ours.has(name) ? OURS + name : name;
}

export function hide(error: Error, key: string, value: unknown): void {
  Object.defineProperty(error, key, { value, writable: true, configurable: true, enumerable: false });
}

const AggregateErrorOf = function AggregateErrorOf(message: string): Error {
  return new AggregateError([], message);
} as unknown as ErrorConstructor;
