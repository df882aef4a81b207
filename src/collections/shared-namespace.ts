import { type InspectOptions, inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import {
  enterWrapper,
  formatPlace,
  type Heap,
  openPlace,
  type Place,
  placeOf,
  rootKind,
  treeHeap,
} from '../heap/internal.js';
import { unsharedWarning } from '../shared-memory/internal.js';
import { absent } from '../values/internal.js';
import { inspectContents } from './contents.js';
import { Dict } from './dict.js';
import { DictUnit } from './dict-unit.js';
import { makeDictAt } from './shared-dict.js';
import { transactable } from './transact.js';

// A namespace is a dict whose keys are the names of properties, behind a Proxy. It has no properties of its own, not even a
// constructor, so that every name is free: what the library must know of it goes by symbols.

const kind = Symbol('multiprocess.namespace');
const units = new WeakMap<object, DictUnit>();

const prototype: object = Object.create(null, {
  [kind]: { value: true },
  [inspect.custom]: { value: inspectNamespace },
  [transactable]: {
    get(this: object) {
      return units.get(this);
    },
  },
});

class Traps implements ProxyHandler<object> {
  readonly #unit: DictUnit;
  #warnUnshared: (() => void) | undefined;

  constructor(unit: DictUnit, warn: (() => void) | undefined) {
    this.#unit = unit;
    this.#warnUnshared = warn;
  }

  get(target: object, name: string | symbol, receiver: unknown): unknown {
    if (typeof name === 'symbol') return Reflect.get(target, name, receiver);
    if (this.#warnUnshared !== undefined) this.#used();
    const value = this.#unit.operations.read(name);
    return value === absent ? undefined : value;
  }

  set(_: object, name: string | symbol, value: unknown): boolean {
    refuseSymbol(name);
    if (this.#warnUnshared !== undefined) this.#used();
    this.#unit.operations.write(name, value, undefined);
    return true;
  }

  has(target: object, name: string | symbol): boolean {
    return typeof name === 'symbol' ? Reflect.has(target, name) : this.#unit.operations.has(name);
  }

  deleteProperty(_: object, name: string | symbol): boolean {
    if (typeof name !== 'symbol') this.#unit.operations.remove(name);
    return true;
  }

  ownKeys(): string[] {
    return this.#unit.operations.keys().map(String);
  }

  getOwnPropertyDescriptor(_: object, name: string | symbol): PropertyDescriptor | undefined {
    if (typeof name === 'symbol') return undefined;
    const value = this.#unit.operations.read(name);
    return value === absent ? undefined : { value, writable: true, enumerable: true, configurable: true };
  }

  defineProperty(target: object, name: string | symbol, descriptor: PropertyDescriptor): boolean {
    const isPlain = 'value' in descriptor && descriptor.writable && descriptor.enumerable && descriptor.configurable;
    return isPlain === true && this.set(target, name, descriptor.value);
  }

  preventExtensions(): boolean {
    return false;
  }

  setPrototypeOf(): boolean {
    return false;
  }

  #used(): void {
    this.#warnUnshared?.();
    this.#warnUnshared = undefined;
  }
}

function refuseSymbol(name: string | symbol): asserts name is string {
  if (typeof name === 'symbol') {
    throw new TypeError(`The properties of a namespace have names that are strings; ${String(name)} is a symbol.`);
  }
}

function inspectNamespace(this: object, depth: number, options: InspectOptions): string {
  const unit = units.get(this);
  if (unit === undefined) return '[Object: null prototype]';
  const { heap, at } = unit.place;
  if (!heap.exists(at)) return 'Namespace { disposed }';
  return inspectContents(this, 'Namespace', depth, options, () =>
    Object.fromEntries(unit.operations.entries() as Iterable<[string, unknown]>),
  );
}

function wrap(place: Place, warn?: () => void): object {
  const unit = new DictUnit(new Dict(place));
  const namespace = new Proxy(Object.create(prototype) as object, new Traps(unit, warn));
  units.set(namespace, unit);
  enterWrapper(namespace, place);
  return namespace;
}

/** Makes a namespace in a certain heap; by default, in that of the process tree. */
export function makeNamespace(init: unknown, home?: Heap): object {
  if (init !== undefined && (typeof init !== 'object' || init === null)) {
    throw new TypeError(`A namespace is made of an object; got ${init === null ? 'null' : typeof init}.`);
  }
  const pairs = Object.entries(init ?? {});
  const place = makeDictAt(home ?? treeHeap(), rootKind.namespace, { ttl: 0, maxEntries: 0 }, pairs);
  return wrap(place, unsharedWarning('SharedNamespace'));
}

/**
 * Makes an object whose properties processes share: plain properties with names that are strings, enumerable in the order in
 * which they were set; one that is not set is undefined. It has no other members: `handleOf` gives its handle, `dispose`
 * ends it, `transact` makes several changes at once (`ns.count += 1` is a read and a write).
 *
 * What goes in is copied, and what comes out is a fresh copy: `ns.list.push(1)` changes nothing that is shared. Shared
 * objects come out as themselves.
 *
 * @throws TypeError for anything but an object; NotShareableError for a value that cannot be shared;
 * UnsupportedPlatformError, system errors (`ENOSPC`), and TooManyParticipantsError.
 *
 * @example
 * ```ts
 * import { SharedNamespace, transact } from 'multiprocess';
 *
 * const state = SharedNamespace({ phase: 'idle', done: 0 });
 * state.phase = 'busy';
 * transact(state, (s) => {
 *   s.done += 1;
 * });
 * console.log(state); // Namespace { phase: 'busy', done: 1 }
 * console.log(Object.keys(state)); // [ 'phase', 'done' ]
 * ```
 */
export const SharedNamespace: {
  <T extends object = Record<string, any>>(init?: T): T;
  readonly prototype: object;
} = Object.assign(
  // A method has a name, and cannot be called with `new`.
  {
    SharedNamespace<T extends object>(init?: T) {
      return makeNamespace(init) as T;
    },
  }.SharedNamespace,
  { prototype },
);

registerSharedKind<object>({
  kind: 'namespace',
  type: SharedNamespace as unknown as abstract new (...args: never[]) => object,
  handle: (namespace) => `mp:namespace:${formatPlace(placeOf(namespace))}`,
  places: (namespace) => [placeOf(namespace)],
  open: (fields) => openPlace(fields, rootKind.namespace, (place) => wrap(place)),
});
