import { ValueError } from '../errors/index.js';

type Class<T> = abstract new (...args: never[]) => T;

/** How instances of a class are taken apart and put together again. */
export interface TypeCodec<T> {
  /** Gives any encodable value. */
  encode(value: T): unknown;
  decode(encoded: any): T;
}

interface Registered {
  readonly name: string;
  readonly codec: TypeCodec<unknown>;
}

const byPrototype = new WeakMap<object, Registered>();
const byName = new Map<string, { type: Class<unknown>; registered: Registered }>();

/**
 * Lets instances of a class travel to other processes: as what `encode` gives, made whole by `decode`. Each process
 * that meets such values registers the class, under the same class name.
 *
 * @throws TypeError when the arguments are no class and codec; ValueError when another class of that name has been
 * registered, or the class has no name.
 *
 * @example
 * ```ts
 * import { fromMessage, registerType, toMessage } from 'multiprocess';
 *
 * class Point {
 *   constructor(readonly x: number, readonly y: number) {}
 * }
 * registerType(Point, { encode: (p) => [p.x, p.y], decode: ([x, y]) => new Point(x, y) });
 *
 * console.log(fromMessage(toMessage({ at: new Point(1, 2) }))); // { at: Point { x: 1, y: 2 } }
 * ```
 */
export function registerType<T>(type: Class<T>, codec: TypeCodec<T>): void {
  if (typeof type !== 'function' || typeof type.prototype !== 'object') {
    throw new TypeError('registerType takes a class first.');
  }
  if (typeof codec?.encode !== 'function' || typeof codec.decode !== 'function') {
    throw new TypeError('registerType takes { encode, decode } second, both functions.');
  }
  if (type.name === '') throw new ValueError('A class without a name cannot be registered: others could not find it.');
  const known = byName.get(type.name);
  if (known !== undefined && known.type !== type) {
    throw new ValueError(`Another class called ${type.name} has been registered already.`);
  }
  const registered = { name: type.name, codec: codec as TypeCodec<unknown> };
  byName.set(type.name, { type, registered });
  byPrototype.set(type.prototype as object, registered);
}

/** The registration of exactly this value's class. */
export function registeredTypeOf(value: object): Registered | undefined {
  const prototype = Object.getPrototypeOf(value) as object | null;
  return prototype === null ? undefined : byPrototype.get(prototype);
}

export function registeredTypeNamed(name: string): Registered | undefined {
  return byName.get(name)?.registered;
}
