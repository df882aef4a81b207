import { type FunctionLocation, locateFunction } from '../codec/internal.js';
import { NameConflictError, ValueError } from '../errors/index.js';

export type AnyClass = abstract new (...args: any[]) => object;

export interface RegisteredType {
  readonly type: AnyClass;
  readonly exposed: readonly string[] | undefined;
}

const TYPEID = /^[A-Za-z_$][\w$]{0,99}$/;
const byManager = new WeakMap<object, Map<string, RegisteredType>>();

/** The types of a manager's class, with those of the classes that it extends. */
export function typesOf(manager: object): Map<string, RegisteredType> {
  const base = Object.getPrototypeOf(manager) as object;
  const inherited = typeof base === 'function' && base !== Function.prototype ? typesOf(base) : [];
  return new Map([...inherited, ...(byManager.get(manager) ?? [])]);
}

/**
 * @returns whether it is a new one. @throws TypeError for what is no class, or no name; ValueError, NameConflictError for names
 * that cannot be used.
 */
export function addType(manager: AnyClass, typeid: unknown, type: unknown, options: unknown): boolean {
  if (typeof typeid !== 'string') throw new TypeError(`The name of a type is a string; got ${typeof typeid}.`);
  if (!TYPEID.test(typeid))
    throw new ValueError(`The name of a type is a JavaScript name; got '${typeid.slice(0, 80)}'.`);
  if (typeof type !== 'function' || typeof type.prototype !== 'object') {
    throw new TypeError('The type is a class that a module exports.');
  }
  const exposed = checkExposed(options);
  const known = typesOf(manager).get(typeid);
  if (known !== undefined) {
    if (known.type === type && String(known.exposed) === String(exposed)) return false;
    throw new NameConflictError(`Another type is registered as '${typeid}'. Choose another name.`);
  }
  if (typeid in (manager.prototype as object))
    throw new NameConflictError(`A manager has something called '${typeid}'.`);
  const own = byManager.get(manager) ?? new Map<string, RegisteredType>();
  own.set(typeid, { type: type as unknown as AnyClass, exposed });
  byManager.set(manager, own);
  return true;
}

function checkExposed(options: unknown): readonly string[] | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw new TypeError('The options are an object, { exposed }.');
  const { exposed } = options as { exposed?: unknown };
  if (exposed === undefined) return undefined;
  if (!Array.isArray(exposed) || !exposed.every((name) => typeof name === 'string')) {
    throw new TypeError('exposed is an array of names of methods.');
  }
  return [...(exposed as string[])];
}

/** As a server is told. @throws NotShareableError for classes that no module exports, as far as that can be known here. */
export function locateTypes(
  types: ReadonlyMap<string, RegisteredType>,
): (readonly [string, FunctionLocation, readonly string[] | undefined])[] {
  return [...types].map(([typeid, { type, exposed }]) => [
    typeid,
    locateFunction(type as unknown as (...args: never[]) => unknown),
    exposed,
  ]);
}
